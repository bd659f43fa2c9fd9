/** How a list is asked for: keyset by `cursor`, or, for small lists only, by `page` (from 1). `limit` is 1–100, 20 unless told. */
export interface PaginationParams {
  limit?: number
  cursor?: string
  page?: number
}

/** One page of a list. `nextCursor` is null on the last page. */
export interface PaginatedResponse<Item> {
  items: Item[]
  nextCursor: string | null
}
