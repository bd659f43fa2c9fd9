import * as z from 'zod'

/** Any text but one with U+0000, which PostgreSQL cannot store. */
// oxlint-disable-next-line no-control-regex -- the control character is what is refused
const WITHOUT_NUL = /^[^\u0000]*$/

/** A text that can be stored: at most `maxLength` UTF-16 units, no U+0000, no half of a surrogate pair. */
export function text(maxLength: number): z.ZodString {
  return z
    .string()
    .max(maxLength)
    .regex(WITHOUT_NUL, 'Must not contain the character U+0000')
    .refine((value) => value.isWellFormed(), 'Must be well-formed Unicode')
}
