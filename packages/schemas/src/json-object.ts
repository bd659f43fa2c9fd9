import * as z from 'zod'

const MAX_DEPTH = 64

/**
 * A JSON object that PostgreSQL's jsonb keeps as it came: no U+0000 and no half surrogate pair in any key or text, no `__proto__`, at most 64 levels deep.
 *
 * One walk instead of `z.record` and `z.json`: the former drops a key named `__proto__` without a word, the latter overflows the stack on `[[[[…`.
 */
export const jsonObjectSchema = z
  .unknown()
  .refine(isStorableObject, 'Must be a JSON object without U+0000 or __proto__, at most 64 levels deep')
  .meta({ type: 'object' }) as unknown as z.ZodType<Record<string, unknown>, Record<string, unknown>> // isStorableObject lets nothing else through

function isStorableObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isStorable(value, 0)
}

function isStorable(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value === 'number') return Number.isFinite(value)
  if (value === null || typeof value === 'boolean') return true
  if (typeof value !== 'object' || depth >= MAX_DEPTH) return false
  if (Array.isArray(value)) return value.every((element) => isStorable(element, depth + 1))
  return Object.entries(value).every(([key, member]) => key !== '__proto__' && isStorableText(key) && isStorable(member, depth + 1))
}

function isStorableText(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed()
}
