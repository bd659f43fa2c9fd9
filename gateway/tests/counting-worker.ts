import type { LimitDecision } from '@dot-do/worker-middleware/rate-limit'
import { take, type Charge, type Counting, type Payer } from '../src/limits.ts'

/** What is asked of one isolate: to count so many calls at once, or to let so many strangers' addresses call one counter. */
export type Asked = { charge: Charge; payer: Payer; calls: number } | { addresses: number; batch: number }

/** A gateway's isolate with nothing of the gateway but its counting. Several of them stand for isolates that share the counters. */
// oxlint-disable-next-line import/no-default-export -- what a Worker exports
export default {
  async fetch(request: Request, env: Counting['env'], ctx: ExecutionContext): Promise<Response> {
    const asked: Asked = await request.json()
    if ('addresses' in asked) return Response.json(await flood(asked, env))
    const { charge, payer, calls } = asked
    const decisions: Promise<LimitDecision>[] = []
    for (let made = 0; made < calls; made++) decisions.push(Promise.resolve(take(charge, payer, { env, ctx })))
    return Response.json(await Promise.all(decisions))
  },
}

/** How many strangers were let through, each from an address of its own. */
async function flood({ addresses, batch }: { addresses: number; batch: number }, env: Counting['env']): Promise<{ allowed: number; again: boolean[] }> {
  const counter = env.RateCounters.getByName('flooded')
  const call = async (address: number) => (await counter.take({ limitClass: 'default', whose: `2001:db8:${address >> 16}:${address & 65_535}` }, 60, 1)).allowed
  let allowed = 0
  for (let from = 0; from < addresses; from += batch) {
    const answers = await Promise.all(Array.from({ length: Math.min(batch, addresses - from) }, (_, index) => call(from + index)))
    allowed += answers.filter(Boolean).length
  }
  const others = await counter.take({ limitClass: 'auth', whose: '2001:db8:ffff:ffff' }, 10, 1)
  return { allowed, again: [await call(0), await call(addresses), others.allowed] }
}
