import type { MiniflareOptions } from 'miniflare'
import type { Firing } from './crons.ts'
import type { LocalDatabase } from './database.ts'
import type { PlatformListener } from './events.ts'
import type { Runtime } from './runtime.ts'
import type { Sources } from './sources.ts'
import type { Time } from './time.ts'
import { watchFolders } from './watch.ts'

/** What runs, and how to say anew what should. */
export interface Running {
  sources: Sources
  runtime: Runtime
  database: LocalDatabase | undefined
  /** The runtime's options as the sources are now. */
  options(): MiniflareOptions
  time: Time
  onEvent: PlatformListener
}

/** What keeps a platform going once it runs. */
export interface Upkeep {
  /** Takes over what changed in these files, or anywhere. Answers the services that differ now. */
  reload(changed?: ReadonlySet<string>): Promise<string[]>
  stop(): Promise<void>
}

/** Fires crons and, if asked, reloads what changes. Reloads follow one another, so the newest sources win. */
export async function startUpkeep(running: Running, watch: boolean): Promise<Upkeep> {
  let stopCrons = scheduleCrons(running)
  let last: Promise<unknown> = Promise.resolve()
  let isCurrent = true
  const reload = (changed?: ReadonlySet<string>): Promise<string[]> => {
    const next = last.then(async () => {
      // What a reload that failed was told of is still to be taken over.
      const services = await reloadOnce(running, isCurrent ? changed : undefined)
      const stopEarlier = stopCrons
      stopCrons = scheduleCrons(running)
      stopEarlier()
      return services
    })
    last = next.then(
      () => (isCurrent = true),
      () => (isCurrent = false),
    )
    return next
  }
  const stopWatching = watch ? await startWatching(running, reload) : async () => {}
  return {
    reload,
    async stop() {
      await stopWatching()
      await last
      stopCrons()
    },
  }
}

async function reloadOnce({ sources, runtime, database, options, time, onEvent }: Running, changed?: ReadonlySet<string>): Promise<string[]> {
  const start = performance.now()
  await database?.migrate()
  const services = await sources.refresh(changed)
  if (services.length === 0) return services
  await time.around(() => runtime.update(options()))
  onEvent({ type: 'reloaded', services, elapsedMs: performance.now() - start })
  return services
}

/** Answers what ends the watching, once nothing that was seen is still being taken over. */
async function startWatching({ sources, onEvent }: Running, reload: Upkeep['reload']): Promise<() => Promise<void>> {
  const refuse = (error: Error) => onEvent({ type: 'refused', message: error.message })
  const takeOver = async (changed: ReadonlySet<string>) => {
    await reload(changed).catch(refuse)
    watch.follow(await sources.folders())
  }
  let done: Promise<unknown> = Promise.resolve()
  const watch = watchFolders((changed) => (done = Promise.all([done, takeOver(changed).catch(refuse)])))
  watch.follow(await sources.folders())
  return async () => {
    watch.close()
    await done
  }
}

function scheduleCrons(running: Running): () => void {
  const schedules = running.sources.services.flatMap(({ name, config }) => (config.triggers?.crons ?? []).map((cron) => ({ worker: name, cron })))
  return running.time.schedule(schedules, (firing) => void fire(running, firing))
}

/** A cron that fails is told and not tried again, as on Cloudflare. */
async function fire({ runtime, onEvent }: Running, { worker, cron, scheduledTime }: Firing): Promise<void> {
  try {
    const { outcome } = await (await runtime.worker(worker)).scheduled({ cron, scheduledTime: new Date(scheduledTime) })
    if (outcome !== 'ok') onEvent({ type: 'notice', message: `${worker}: the cron "${cron}" ended with ${outcome}` })
  } catch (error) {
    onEvent({ type: 'notice', message: `${worker}: the cron "${cron}" failed: ${error instanceof Error ? error.message : error}` })
  }
}
