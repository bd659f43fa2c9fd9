/** Who asks the platform, over HTTP. */
export interface Client {
  ask<Data>(path: string, body?: unknown, idempotencyKey?: string): Promise<Data>
}

/** How many jobs there are. */
export const COUNT = 10_000

/** Things that the jobs of a group change one after another. */
export const LINES = Array.from({ length: 37 }, (_, line) => `line/${line}`)

/** What the n-th job does: five in ten write a thing, three change the thing of their group, one enqueues another job, one waits for a second or is a workflow. */
function jobOf(n: number): Record<string, unknown> {
  const job = { priority: (n * 7) % 10, backoffSeconds: 1 }
  const effect = { type: 'db.upsert', payload: { $type: 'Effect', data: { n } } }
  const line = lineOf(n)
  if (line !== undefined) return { ...job, type: 'db.update', payload: { id: line, data: { last: n } }, group: line }
  if (n % 10 === 8) return { ...job, type: 'queue.enqueue', payload: effect }
  if (n % 100 === 99)
    return {
      ...job,
      type: 'queue.workflow',
      payload: {
        steps: [
          { name: 'nap', sleepSeconds: 1 },
          { name: 'write', ...effect },
        ],
      },
    }
  if (n % 10 === 9) return { ...job, ...effect, delaySeconds: 1 + (n % 5), uniqueKey: `effect-${n}` }
  return { ...job, ...effect }
}

function lineOf(n: number): string | undefined {
  return [5, 6, 7].includes(n % 10) ? LINES[n % LINES.length] : undefined
}

/** Some of the jobs, in order. */
export function jobsOf(first: number, count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, index) => jobOf(first + index))
}

const numbers = Array.from({ length: COUNT }, (_, n) => n)

/** The jobs that write a thing of their own, each once. */
export function expectedEffects(): number[] {
  return numbers.filter((n) => lineOf(n) === undefined)
}

/** What each group’s jobs wrote into its thing, in the order in which they were enqueued. */
export function expectedOrder(): number[][] {
  return LINES.map((line) => numbers.filter((n) => lineOf(n) === line))
}

/** Which jobs have had an effect: a job that had it twice is there twice, since whoever writes such a thing makes a new one. */
export async function effects(client: Client): Promise<number[]> {
  const found = await all<{ data: { n: number } }>(client, '/db/things?type=Effect')
  return found.map(({ data }) => data.n).toSorted((one, other) => one - other)
}

/** What was written into each group’s thing, oldest first. */
export async function orderOf(client: Client): Promise<number[][]> {
  const orders: number[][] = []
  for (const line of LINES) {
    const versions = await all<{ version: number; data: { last?: number } }>(client, `/db/history/${line}?`)
    const written = versions.toSorted((one, other) => one.version - other.version).flatMap(({ data }) => (data.last === undefined ? [] : [data.last]))
    orders.push(written)
  }
  return orders
}

async function all<Item>({ ask }: Client, path: string): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: { items: Item[]; nextCursor: string | null } = await ask(`${path}&limit=100${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
    items.push(...page.items)
    cursor = page.nextCursor
  }
  return items
}
