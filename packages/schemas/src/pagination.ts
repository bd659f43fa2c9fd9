import * as z from 'zod'

/** How a list is asked for: by `cursor`, or, for small lists only, by `page` (from 1). */
export const paginationSchema = z.object({
  limit: z.int().min(1).max(100).default(20).describe('How many at most'),
  cursor: z.string().min(1).max(4096).optional().describe('nextCursor of the page before'),
  page: z.int().min(1).max(10_000).optional().describe('For small lists, instead of cursor'),
})

/** One page of a list; `nextCursor` is null on the last one. */
export function paginatedResponseSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable().describe('Ask for the next page with it; null on the last one') })
}
