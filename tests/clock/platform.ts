import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { turnableClock, type TurnableClock } from '@dot-do/worker-local/clock/turnable-clock'
import { startPlatform, type Platform } from '@dot-do/worker-local/host/platform'
import { request as send } from 'undici'

/** A JSON object of unknown form: whatever member is asked for, the assertion says what it is. */
export interface Loose {
  [member: string]: Loose
}

/** What came back. */
export interface Answered {
  status: number
  headers: Record<string, string>
  data: Loose
  error: Loose
  text: string
}

/** The whole platform on a clock that stands still until a test turns it. */
export interface PlatformInTime {
  clock: TurnableClock
  /** Asks the gateway; with the admin's key unless another is named, or none. */
  ask(path: string, asked?: { method?: string; key?: string | null; body?: unknown }): Promise<Answered>
  /** The code in the newest mail to somebody. */
  codeFor(email: string): Promise<string>
  end(): Promise<void>
}

/** Boots it on an empty state directory. The tasks that come with it rest: a test looks at its own. */
export async function platformAt(start: string): Promise<PlatformInTime> {
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-clock-'))
  const clock = turnableClock(start)
  const platform = await startPlatform({ root: fileURLToPath(new URL('../..', import.meta.url)), stateDir, port: 0, clock })
  const end = async () => {
    await platform.stop()
    await rm(stateDir, { recursive: true, force: true, maxRetries: 5 })
  }
  const inTime = { clock, ask: asker(platform), codeFor: codeReader(platform), end }
  await restBuiltInTasks(inTime)
  return inTime
}

function asker({ port, admin }: Platform): PlatformInTime['ask'] {
  return async (path, { method, key = admin?.adminKey, body } = {}) => {
    const answer = await send(`http://127.0.0.1:${port}${path}`, {
      method: (method ?? (body === undefined ? 'GET' : 'POST')) as 'GET',
      headers: { host: `localhost:${port}`, 'content-type': 'application/json', ...(typeof key === 'string' && { authorization: `Bearer ${key}` }) },
      body: body === undefined ? null : JSON.stringify(body),
    })
    const text = await answer.body.text()
    const { data, error } = JSON.parse(text === '' ? '{}' : text) as { data: Loose; error: Loose }
    return { status: answer.statusCode, headers: answer.headers as Record<string, string>, data, error, text }
  }
}

function codeReader({ signIn }: Platform): PlatformInTime['codeFor'] {
  return async (email) => {
    const answer = await send(`${signIn?.mailbox.url.replace('localhost', '127.0.0.1')}/mails`)
    const mails = (await answer.body.json()) as { to: string[]; text: string }[]
    const code = /\b\d{8}\b/.exec(mails.find(({ to }) => to.includes(email))?.text ?? '')?.[0]
    if (code === undefined) throw new Error('No mail with a code has come')
    return code
  }
}

async function restBuiltInTasks({ ask }: Pick<PlatformInTime, 'ask'>): Promise<void> {
  const { data } = await ask('/schedule/tasks?limit=100')
  const tasks = data['items'] as unknown as { id: string; builtIn: boolean }[]
  for (const { id, builtIn } of tasks) if (builtIn) await ask(`/schedule/tasks/${id}/disable`, { body: {} })
}
