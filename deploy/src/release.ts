import { database } from '@dot-do/worker-data/database'
import { onward, type Call } from '@dot-do/worker-kernel/call'
import type { Tier } from '@dot-do/worker-contracts/deployment'
import { log } from '@dot-do/worker-utils'
import type { Attempt } from './attempt.ts'
import { bindingsOf } from './bindings.ts'
import { cloudflareApi } from './cloudflare.ts'
import type { Content } from './content.ts'
import type { Env } from './env.ts'
import { accessOf, branchLabel, scriptName, type Place } from './places.ts'
import { slotKey, slotOf, type PublishedSlot } from './pointers.ts'
import { deleteScript, uploadScript, type ScriptPlace } from './scripts-api.ts'
import { isScript, openSecrets, refreshSecrets } from './secrets.ts'
import { smokeTest } from './smoke-test.ts'
import { scripts } from './tables.ts'
import { awaitTurn } from './turns.ts'

/** A version on its way into an environment. */
export interface Release {
  attempt: Attempt
  place: Place
  namespace: string
  tier?: Tier | undefined
  content: Content
  version: number
  smokePath: string
  /** Whether it is to be live at the end. */
  activate: boolean
}

/**
 * Uploads a version's script, makes it known under its own host, tries it there, and only then makes it live.
 * Every step may be repeated. One that fails leaves live what was live, and a version nobody knew before is taken away again.
 */
export async function release(release: Release, call: Call<Env>): Promise<{ slot: PublishedSlot; former: number | null }> {
  const { attempt, place, version } = release
  const before = await slotOf(place, call)
  const script = await upload(release, call)
  const kept = await keep(release, script, call)
  try {
    await smokeTest({ place, version, path: release.smokePath }, call)
  } catch (thrown) {
    const wasKnown = before?.versions.some((known) => known.version === version) ?? false
    if (!wasKnown) await takeAway(release, script, call)
    throw thrown
  }
  if (!release.activate) return { slot: kept, former: kept.live }
  await awaitTurn(attempt, call)
  const slot = await call.env.DISPATCHER_SERVICE.activate({ ...slotKey(place), version }, onward(call))
  attempt.stage = 'activated'
  // A secret that was set since the upload went to the script that was live then.
  await refreshSecrets(place, [version], call)
  return { slot, former: before?.live ?? null }
}

async function upload({ place, namespace, content, version }: Release, call: Call<Env>): Promise<ScriptPlace> {
  const secrets = await openSecrets(place, call)
  const script = { namespace, script: scriptName(place, version) }
  const tags = [place.tenant, `worker:${place.service}`, `v${version}`]
  await uploadScript(cloudflareApi(call.env), script, { content, bindings: bindingsOf(content, place, secrets), tags })
  const given = Object.fromEntries(secrets.map((secret) => [secret.name, secret.version]))
  await database(call)
    .insert(scripts)
    .values({ ...place, version, ...script, secrets: given })
    .onConflictDoUpdate({ target: [scripts.tenant, scripts.service, scripts.environment, scripts.version, scripts.namespace], set: { secrets: given } })
  return script
}

function keep({ attempt, place, tier, content, version }: Release, script: ScriptPlace, call: Call<Env>): Promise<PublishedSlot> {
  const access = accessOf(content.access, place, tier)
  const branch = branchLabel(attempt.row.metadata.branch)
  return call.env.DISPATCHER_SERVICE.keepVersion({ ...slotKey(place), version, ...script, access, branch }, onward(call))
}

/** Takes back a version that did not pass. What cannot be taken back is harmless: nobody is led there. */
async function takeAway({ place, version }: Release, script: ScriptPlace, call: Call<Env>): Promise<void> {
  try {
    await call.env.DISPATCHER_SERVICE.dropVersions({ ...slotKey(place), versions: [version] }, onward(call))
    await deleteScript(cloudflareApi(call.env), script)
    await database(call)
      .delete(scripts)
      .where(isScript({ ...place, version, namespace: script.namespace }))
  } catch (cause) {
    log('warn', 'version_not_taken_away', { ...place, version, requestId: call.requestId, cause })
  }
}
