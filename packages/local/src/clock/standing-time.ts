import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { freePort } from '../host/ports.ts'
import type { Place, Time } from '../host/time.ts'
import type { Bell, StepReport } from './protocol.ts'
import type { StandingClock } from './turnable-clock.ts'
import { objectClasses, turnedOptions } from './turned-options.ts'
import { clockSource } from './worker-source.ts'

/** The time of a platform that a clock turns: it leads that clock to the Workers, and to the database. */
export async function standingTime(clock: StandingClock, { stateDir, database }: Place): Promise<Time> {
  const token = randomBytes(16).toString('base64url')
  const [within, own, port] = await Promise.all([clockSource('within'), clockSource('clock'), freePort()])
  let agent = new Agent({ keepAlive: true })
  const ask = <Answer>(body: object) => post<Answer>({ port, token, agent }, body)
  let classes: ReturnType<typeof objectClasses> = []
  const recall = async (): Promise<StepReport['alarms']> => {
    const known = await Promise.all(classes.map((kind) => objectsOnDisk(stateDir, kind)))
    return (await ask<Pick<StepReport, 'alarms'>>({ recall: known.flat() })).alarms
  }
  const turned = { step: (step: object) => ask<StepReport>(step), tell: async (now: number) => database?.turn(now), recall }
  // Connections to Workers that were replaced lead nowhere.
  const replaced = (): void => {
    agent.destroy()
    agent = new Agent({ keepAlive: true })
  }
  return {
    options(options) {
      classes = objectClasses(options.workers)
      return turnedOptions(options, { sources: { within, clock: own }, token, port, now: clock.now() })
    },
    around: (update) => clock.around(() => update().then(replaced), turned),
    schedule(schedules) {
      clock.schedule(schedules)
      return () => {}
    },
    restarted: () => void clock.around(async () => replaced(), turned).then(() => clock.settle()),
  }
}

/** Objects that stored something, by the files that workerd keeps them in. */
async function objectsOnDisk(stateDir: string, { worker, className }: Pick<Bell, 'worker' | 'className'>): Promise<Bell[]> {
  const files = await readdir(join(stateDir, 'workers/do', `${worker}-${className}`)).catch(() => [])
  const ids = files.flatMap((file) => /^([0-9a-f]{64})\.sqlite$/.exec(file)?.[1] ?? [])
  return ids.map((id) => ({ worker, className, id }))
}

/** Asks the clock's Worker. */
function post<Answer>({ port, token, agent }: { port: number; token: string; agent: Agent }, body: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method: 'POST', agent, headers: { 'x-clock-token': token } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        if (response.statusCode === 200) resolve(JSON.parse(text) as Answer)
        else reject(new Error(`The clock's Worker answered ${response.statusCode}: ${text}`))
      })
    })
    asked.on('error', reject)
    asked.end(JSON.stringify(body))
  })
}
