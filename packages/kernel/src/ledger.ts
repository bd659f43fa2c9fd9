import { canonicalJson, ServiceError, sha256Hex } from '@dot-do/worker-utils'
import type { Call } from './call.ts'

/** A keyed call as its ledger row names it. Whoever commits the effect commits this row with it and sets `committed`. */
export interface LedgerEntry {
  principal: string
  operation: string
  key: string
  /** SHA-256 of the parsed input in canonical JSON, hexadecimal. */
  inputHash: string
  /** The field of the answer that must not be stored. */
  secret?: string
  committed: boolean
}

/** What a ledger row says of an earlier call. */
export interface Remembered {
  inputHash: string
  answer: unknown
}

/** Where the answers to keyed calls lie: next to their effects, for 24 hours. */
export interface Ledger<Env> {
  find(entry: LedgerEntry, call: Call<Env>): Promise<Remembered | undefined>
}

/** Runs a keyed operation once per principal, operation and key; the second call gets the first's answer, or CONFLICT if it asks for something else. */
export async function once<Env>(
  ledger: Ledger<Env>,
  keyed: { operation: string; secret: string | undefined; input: unknown; call: Call<Env> },
  run: (call: Call<Env>) => unknown,
): Promise<unknown> {
  const { call, operation, secret, input } = keyed
  const key = call.idempotencyKey
  if (key === undefined) return run(call)
  if (!(key.length >= 1 && key.length <= 255)) throw refusedKey('INVALID', 'must have 1 to 255 characters')
  const inputHash = await sha256Hex(canonicalJson(input))
  const entry: LedgerEntry = { principal: call.principal.id, operation, key, inputHash, committed: false, ...(secret === undefined ? {} : { secret }) }
  const remembered = await ledger.find(entry, call)
  if (remembered) return replay(remembered, entry)
  return runOrYield(ledger, { entry, call, run })
}

async function runOrYield<Env>(
  ledger: Ledger<Env>,
  { entry, call, run }: { entry: LedgerEntry; call: Call<Env>; run: (call: Call<Env>) => unknown },
): Promise<unknown> {
  try {
    const answer = await run({ ...call, entry })
    if (!entry.committed) throw new TypeError(`${entry.operation} is keyed but did not commit its ledger row`)
    return answer
  } catch (error) {
    // The same key may have won a race while this one ran: its commit made ours fail, and its answer is ours.
    const winner = await ledger.find(entry, call).catch(() => undefined)
    if (winner) return replay(winner, entry)
    throw error
  }
}

function replay(remembered: Remembered, entry: LedgerEntry): unknown {
  if (remembered.inputHash === entry.inputHash) return remembered.answer
  throw refusedKey('CONFLICT', 'was used for another input')
}

function refusedKey(code: 'INVALID' | 'CONFLICT', message: string): ServiceError {
  return new ServiceError(code, `The Idempotency-Key ${message}`, { details: [{ path: 'Idempotency-Key', message }] })
}
