import type { Call } from '@dot-do/worker-kernel/call'
import { retry } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { askFunction } from './functions.ts'
import type { Woken } from './hint.ts'
import { jobRow, type ClaimedJob } from './job-row.ts'

/** A runner is believed to be there for so long after it was last heard of. */
export const LEASE_MS = 60_000

/** What became of a job, as `queue.turn` takes it. */
export interface Settlement {
  id: string
  state: 'completed' | 'failed' | 'dead' | 'cancelled' | 'delayed'
  result?: unknown
  result_key?: string
  error?: { attempt: number; at: string; code: string; message: string }
  run_at?: string
}

/** What a turn gave. */
export interface Turn {
  claimed: ClaimedJob[]
  /** Those of the settled jobs that were this runner's still. */
  settled: string[]
  /** Others that may begin now. */
  next: Woken[]
  /** When the first of those may begin that the rate of their type holds back. */
  wakeAt: string | null
}

/** Settles what ended and takes what may begin, in one round trip. */
export async function takeTurn(turn: { runner: string; ended: Settlement[]; asked: string[] }, call: Call<Env>): Promise<Turn> {
  const { runner, ended, asked } = turn
  const now = Date.now()
  const params = [JSON.stringify(ended), textArray(asked), runner, new Date(now).toISOString(), new Date(now + LEASE_MS).toISOString()]
  // Two runners may have been in each other's way. Said twice, it is heard once: what is settled is no longer this runner's.
  const answered = await retry(() => askFunction('turn', params, call))
  const { claimed, wake_at, settled, next } = answered as Pick<Turn, 'settled' | 'next'> & { claimed: Record<string, unknown>[]; wake_at: string | null } // as migrations/0002_running.sql has it
  return { claimed: claimed.map(jobRow), settled, next, wakeAt: wake_at }
}

/** Says that a runner is still there. Answers which jobs are no longer its own, and which somebody wants to end. */
export async function beat(held: string[], runner: string, call: Call<Env>): Promise<{ lost: string[]; cancelled: string[] }> {
  const answer = await askFunction('beat', [textArray(held), runner, new Date(Date.now() + LEASE_MS).toISOString()], call)
  return answer as { lost: string[]; cancelled: string[] } // as migrations/0002_running.sql has it
}

/** Texts as a parameter that PostgreSQL reads as an array. */
export function textArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`
}
