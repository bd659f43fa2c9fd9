import { setTimeout as delay } from 'node:timers/promises'
import type { Contract } from '@dot-do/worker-contracts/contract'

/** How long one question may take, in milliseconds. */
const TIMEOUT_MS = 10_000

/** How long is waited, in milliseconds, before a question is asked again. */
const PAUSE_MS = 2_000

/** One thing that was asked of a deployment, and whether the answer was as it should be. */
export interface Verdict {
  /** `db: health` */
  check: string
  path: string
  ok: boolean
  /** The HTTP status; absent, if there was no answer. */
  status?: number
  message: string
}

/** A path to ask, and what an answer to it means. */
export interface Question {
  check: string
  path: string
  judge(status: number, body: unknown): { ok: boolean; message: string }
}

/** What is asked of a deployment: every service's health, the document of them all, and that a stranger gets no further than the door. */
export function questionsFor(contracts: readonly Contract[]): Question[] {
  const health = contracts.map(({ name }): Question => ({ check: `${name}: health`, path: `${prefix(name)}/health`, judge: judgeHealth }))
  const doors = contracts.flatMap((contract): Question[] => {
    const path = protectedPath(contract)
    return path === undefined ? [] : [{ check: `${contract.name}: strangers`, path, judge: judgeRefusal }]
  })
  const document: Question = { check: 'openapi.json', path: '/openapi.json', judge: (status, body) => judgeDocument(contracts, status, body) }
  return [...health, document, ...doors]
}

/** Asks everything, and what was not as it should be again until `waitMs` have passed: what was just deployed is not everywhere at once. */
export async function verify(url: string, questions: readonly Question[], waitMs: number): Promise<Verdict[]> {
  const deadline = Date.now() + waitMs
  const verdicts = await Promise.all(questions.map((question) => ask(url, question)))
  while (verdicts.some(({ ok }) => !ok) && Date.now() + PAUSE_MS <= deadline) {
    await delay(PAUSE_MS)
    for (const [index, question] of questions.entries()) if (!verdicts[index]?.ok) verdicts[index] = await ask(url, question)
  }
  return verdicts
}

async function ask(url: string, { check, path, judge }: Question): Promise<Verdict> {
  try {
    const answer = await fetch(new URL(path, url), { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    const body: unknown = await answer.json().catch(() => undefined)
    return { check, path, status: answer.status, ...judge(answer.status, body) }
  } catch (error) {
    return { check, path, ok: false, message: `no answer: ${reasonOf(error)}` }
  }
}

/** fetch says only that it failed, and why in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message
}

/** `degraded` works, and says what does not; anything but a health is another's answer. */
function judgeHealth(status: number, body: unknown): { ok: boolean; message: string } {
  const health = field(field(body, 'data'), 'status')
  const checks = Object.entries(field(field(body, 'data'), 'checks') ?? {})
  const ailing = checks
    .filter(([, check]) => field(check, 'status') !== 'ok')
    .map(([name, check]) => `${name}: ${field(check, 'message') ?? field(check, 'status')}`)
  if (typeof health !== 'string') return { ok: false, message: messageIn(body) ?? 'the answer is no health' }
  return { ok: status === 200 && health !== 'error', message: [health, ...ailing].join('; ') }
}

function judgeDocument(contracts: readonly Contract[], status: number, body: unknown): { ok: boolean; message: string } {
  const paths = Object.keys(field(body, 'paths') ?? {})
  if (status !== 200 || paths.length === 0) return { ok: false, message: messageIn(body) ?? 'the answer is no OpenAPI document' }
  const absent = contracts.map(({ name }) => name).filter((name) => !paths.includes(`${prefix(name)}/health`))
  return { ok: absent.length === 0, message: absent.length === 0 ? `${paths.length} paths` : `nothing of ${absent.join(', ')}` }
}

function judgeRefusal(status: number, body: unknown): { ok: boolean; message: string } {
  const code = field(field(body, 'error'), 'code')
  const ok = status === 401 && code === 'UNAUTHENTICATED'
  return { ok, message: ok ? 'refused' : status < 400 ? 'let in without a key' : `answered ${String(code ?? 'no error of ours')}` }
}

/** The first path of a contract that anyone can ask for, and few may: without parameters, and not public. */
function protectedPath({ name, operations }: Contract): string | undefined {
  const routes = Object.values(operations).filter(({ permission, http }) => permission !== 'public' && http?.startsWith('GET ') && !http.includes(':'))
  const [route] = routes
  return route?.http && prefix(name) + route.http.slice('GET '.length)
}

/** The gateway's own paths stand at its root. */
function prefix(name: string): string {
  return name === 'gateway' ? '' : `/${name}`
}

function messageIn(body: unknown): string | undefined {
  const message = field(field(body, 'error'), 'message')
  return typeof message === 'string' ? message : undefined
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
