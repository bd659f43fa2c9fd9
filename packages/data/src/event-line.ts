/** An event by the names of the columns it has in ClickHouse. What is absent takes the column's default. */
export interface EventRow {
  type: string
  /** Milliseconds since 1970, which ClickHouse takes for a time as they are. */
  at: number
  ns: string
  principal: string
  service?: string | undefined
  operation?: string | undefined
  via?: string | undefined
  status?: number | undefined
  duration_ms?: number | undefined
  request_id?: string | undefined
  /** A JSON object. */
  data?: string | undefined
}

/** An event as one line. Its id is its batch's with a number: ClickHouse compresses what they share to next to nothing. */
export function eventLine(batch: string, index: number, row: EventRow): string {
  return `${JSON.stringify({ id: `${batch}_${index}`, ...row })}\n`
}
