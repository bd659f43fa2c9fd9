import * as z from 'zod'
import { jsonObjectSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { jobType } from './job.ts'

const name = text(64).regex(/^[A-Za-z][A-Za-z0-9_-]*$/, 'Must begin with a letter, then letters, digits, - or _')

/** A job; `{ "$result": "<step>" }` or `{ "$result": "<step>.<field>.<field>" }` anywhere in its payload stands for what an earlier step answered. */
const JobStep = z.strictObject({
  name,
  type: jobType,
  payload: jsonObjectSchema.default({}),
  maxAttempts: z.int().min(1).max(20).optional(),
})

const SleepStep = z.strictObject({ name, sleepSeconds: z.int().min(1).max(31_536_000) })
const SleepUntilStep = z.strictObject({ name, sleepUntil: timestampSchema })

/** Steps in order; the names are different. */
export const Workflow = z
  .object({
    steps: z
      .array(z.union([JobStep, SleepStep, SleepUntilStep]))
      .min(1)
      .max(50),
  })
  .superRefine(({ steps }, context) => {
    const names = steps.map((step) => step.name)
    names.forEach((step, index) => {
      if (names.indexOf(step) < index) context.addIssue({ code: 'custom', path: ['steps', index, 'name'], message: `Another step is called ${step}` })
    })
  })
