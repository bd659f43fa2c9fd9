/** The values of a statement that is put together of parts: each is given once and stands in the SQL as `$1`, `$2` … */
export class Parameters {
  readonly values: unknown[] = []

  /** Takes a value and tells what stands for it in the SQL. */
  add(value: unknown): string {
    return `$${this.values.push(value)}`
  }
}
