import { batch } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import type { Env } from './env.ts'

/** Asks one of the functions that the migrations make, by its name; what it answers is JSON, and whoever asks knows of which form. */
export async function askFunction(name: string, params: (string | number)[], call: Call<Env>): Promise<unknown> {
  const places = params.map((_param, index) => `$${index + 1}`).join(', ')
  const [result] = await batch(call, [{ sql: `select queue.${name}(${places})`, params }])
  return result?.rows[0]?.[0]
}
