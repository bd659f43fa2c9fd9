import { setTimeout as delay } from 'node:timers/promises'
import { readDevFile } from '@dot-do/worker-local/host/console'
import { CommandError, DEFAULT_STATE, textOf, UsageError, type Run } from './command.ts'

/** The platform's API as its commands use it. */
export interface Api {
  url: string
  /** Asks, again where that may help; fails with the platform's own sentence. Whoever takes a stream reads it to its end or gives it up. */
  ask(path: string, asked?: { body?: string; headers?: Record<string, string> }): Promise<Response>
}

/** Options of every command that asks the API. */
export const API_OPTIONS = { url: { type: 'string' }, state: { type: 'string' }, ns: { type: 'string' } } as const

/** What these options mean, for the usage of a command. */
export const API_USAGE = `  --state DIR   the platform that \`pnpm dev\` runs on DIR (.local)
  --url URL     another platform, https://api.do
  --ns NAME     another namespace than the key's own

  DOTDO_API_KEY  the key to ask with; the administrator's, for a platform of this machine, unless told
`

/** How often a request is sent that got no answer, or one that says to come again. */
const ATTEMPTS = 6

/** The longest that a server may keep a command waiting before it asks again. */
const LONGEST_WAIT_MS = 60_000

/** Finds the platform that the options and the environment name. */
export async function openApi(run: Run): Promise<Api> {
  const { url, key } = await addressOf(run)
  return { url, ask: (path, asked) => ask(url + path, { key, signal: run.signal, ...asked }) }
}

async function addressOf(run: Run): Promise<{ url: string; key: string }> {
  const key = process.env['DOTDO_API_KEY'] || undefined
  const [told, stateDir] = [textOf(run, 'url'), textOf(run, 'state')]
  if (told !== undefined && stateDir !== undefined) throw new UsageError('--url names one platform and --state another: leave one of them out')
  if (told !== undefined) {
    if (!/^https?:$/.test(URL.parse(told)?.protocol ?? '')) throw new UsageError(`--url takes an address such as https://api.do, not ${told}`)
    if (key === undefined) throw new UsageError('DOTDO_API_KEY must be set to a key of the platform at --url')
    return { url: told.replace(/\/+$/, ''), key }
  }
  const state = stateDir ?? DEFAULT_STATE
  const running = await readDevFile(state)
  if (!running) throw new CommandError(`No platform has run on ${state}: start one with \`pnpm dev\`, or name another with --url`)
  const found = key ?? running.adminKey
  if (found === undefined) throw new UsageError(`${state}/dev.json has no key; set DOTDO_API_KEY`)
  return { url: running.url, key: found }
}

interface Asked {
  key: string
  signal: AbortSignal
  body?: string
  headers?: Record<string, string>
}

async function ask(url: string, asked: Asked): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const answer = await attempted(url, asked)
    if (answer instanceof Response && answer.ok) return answer
    const isLast = attempt === ATTEMPTS
    if (answer instanceof Error) {
      asked.signal.throwIfAborted()
      if (isLast) throw new CommandError(`${new URL(url).origin} does not answer`, { cause: answer })
    } else if (isLast || ![429, 502, 503].includes(answer.status)) {
      throw new CommandError(await refusalOf(answer))
    } else await answer.body?.cancel()
    await delay(waitMs(answer, attempt), undefined, { signal: asked.signal }).catch(() => asked.signal.throwIfAborted())
  }
}

function attempted(url: string, { key, signal, body, headers }: Asked): Promise<Response | Error> {
  const init = { headers: { authorization: `Bearer ${key}`, ...headers }, signal, ...(body === undefined ? {} : { method: 'POST', body }) }
  return fetch(url, init).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
}

function waitMs(answer: Response | Error, attempt: number): number {
  const told = answer instanceof Response ? Number(answer.headers.get('Retry-After') ?? 0) : 0
  return Math.min(LONGEST_WAIT_MS, told > 0 ? told * 1_000 : 100 * 2 ** attempt)
}

/** The platform's own words: its sentence, and what is wrong with which field. */
async function refusalOf(answer: Response): Promise<string> {
  const text = await answer.text()
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; details?: { path: string; message: string }[] } } // the envelope of every refusal
    const details = (error.details ?? []).slice(0, 5).map(({ path, message }) => `\n  ${path}: ${message}`)
    return `${error.code}: ${error.message}${details.join('')}`
  } catch {
    return `${new URL(answer.url).origin} answered ${answer.status}`
  }
}
