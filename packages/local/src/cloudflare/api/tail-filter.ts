import * as z from 'zod'

/** What `wrangler tail` sends for its options; all that are given have to hold. */
export const TailFilter = z.object({
  sampling_rate: z.number().min(0).max(1).optional(),
  outcome: z.array(z.string()).max(20).optional(),
  method: z.array(z.string()).max(20).optional(),
  header: z.object({ key: z.string(), query: z.string().optional() }).optional(),
  client_ip: z.array(z.string()).max(20).optional(),
  query: z.string().optional(),
  scriptVersion: z.string().optional(),
})

/** One filter. */
export type TailFilter = z.output<typeof TailFilter>

/** What of an event filters look at. Events are made by others, so anything may be missing. */
const Filtered = z.object({
  outcome: z.string().optional().catch(undefined),
  logs: z.array(z.object({ message: z.unknown() })).catch([]),
  event: z
    .object({
      request: z
        .object({ method: z.string().optional(), headers: z.record(z.string(), z.string()).catch({}) })
        .optional()
        .catch(undefined),
    })
    .nullish()
    .catch(undefined),
  scriptVersion: z.object({ id: z.string() }).optional().catch(undefined),
})

/** Whether an event is to be shown. `draw` gives a number from 0 to below 1, for sampling. */
export function passes(event: object, filters: readonly TailFilter[], draw: () => number): boolean {
  const seen = Filtered.parse(event)
  const { method, headers = {} } = seen.event?.request ?? {}
  return filters.every((filter) => {
    if (filter.sampling_rate !== undefined && draw() >= filter.sampling_rate) return false
    if (filter.outcome && !filter.outcome.includes(seen.outcome ?? '')) return false
    if (filter.method && !filter.method.some((wanted) => wanted.toUpperCase() === method?.toUpperCase())) return false
    if (filter.header && !hasHeader(headers, filter.header)) return false
    if (filter.client_ip && !filter.client_ip.some((wanted) => wanted === 'self' || wanted === headerOf(headers, 'cf-connecting-ip'))) return false
    if (filter.scriptVersion !== undefined && filter.scriptVersion !== seen.scriptVersion?.id) return false
    return filter.query === undefined || seen.logs.some(({ message }) => JSON.stringify(message)?.includes(filter.query ?? ''))
  })
}

function hasHeader(headers: Record<string, string>, { key, query }: { key: string; query?: string | undefined }): boolean {
  const value = headerOf(headers, key)
  return value !== undefined && (query === undefined || value.includes(query))
}

function headerOf(headers: Record<string, string>, wanted: string): string | undefined {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === wanted.toLowerCase())?.[1]
}
