import * as z from 'zod'
import { text, timestampSchema, versionLabelPattern, workerNameSchema } from '@dot-do/worker-schemas'
import { namespace } from './thing.ts'

/** Where a worker is published; `internal` is for administrators only. */
export const environment = z.enum(['production', 'staging', 'development', 'internal'])

/** One of the places a worker is published in. */
export type Environment = z.output<typeof environment>

/** Who may call a published worker: anyone, principals of its tenant, administrators. */
export const access = z.enum(['public', 'tenant', 'admin'])

/** Whose worker it is; a tenant is not called like a version, since both are labels of host names. */
export const tenant = namespace.refine((name) => !versionLabelPattern.test(name), 'reads like a version').describe("Whose; the asker's own tenant unless told")

/** A version of a worker: counts from 1, over all its environments. */
export const versionNumber = z.int().min(1).max(999_999_999)

/** Names one worker: whose, and what it is called. The tenant `default` is the platform itself, whose workers have hosts of their own (`hello.do`). */
export const publishedWorker = { tenant: namespace, worker: workerNameSchema }

/** A version that an environment keeps: uploaded as a script of its own, ready to be called. */
export const KeptVersion = z
  .object({
    version: versionNumber,
    namespace: z.string().describe('The dispatch namespace its script lies in'),
    script: z.string().describe("The script's name there"),
    access,
    branch: z.string().nullable().describe('As a label of a host name'),
    keptSince: timestampSchema,
  })
  .meta({ id: 'KeptVersion' })

/** When a canary gives up by itself: once `minRequests` were answered by it, the share of errors (5xx and exceptions) must not exceed `errorRate`. */
export const abortRule = z.object({ errorRate: z.number().min(0).max(1), minRequests: z.int().min(1).max(100_000).default(50) })

/** A share that grows: `percent` from `afterSeconds` after the canary's start. */
export const canaryStep = z.object({ percent: z.number().min(0).max(100), afterSeconds: z.int().min(1).max(2_592_000) })

/** A version that gets a part of an environment's requests. */
export const Canary = z
  .object({
    version: versionNumber,
    percent: z.number().describe('Of the callers; each stays where it is'),
    header: z.string().nullable().describe('Requests with this header get the canary, whatever the share'),
    steps: z.array(canaryStep),
    abortOn: abortRule.nullable(),
    startedAt: timestampSchema,
    requests: z.int().describe('Answered by the canary so far'),
    errors: z.int().describe('Of these, 5xx and exceptions'),
  })
  .meta({ id: 'Canary' })

/** What is live in one environment of a worker. */
export const Slot = z
  .object({
    environment,
    live: versionNumber.nullable().describe('null: nothing yet, or taken down'),
    former: z.array(versionNumber).describe('What was live before, newest first; a rollback goes there'),
    canary: Canary.nullable(),
    abortedCanary: z.object({ version: versionNumber, at: timestampSchema, reason: z.string() }).nullable().describe('The last canary that gave up by itself'),
    versions: z.array(KeptVersion).describe('Newest first'),
  })
  .meta({ id: 'Slot' })

/** Everything the dispatcher needs to know of a worker. */
export const Pointer = z.object({ tenant: z.string(), worker: z.string(), slots: z.array(Slot) }).meta({ id: 'Pointer' })

/** A host name of somebody's own. */
export const hostName = z
  .string()
  .max(253)
  .regex(
    /^(?=.*\.[a-z])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/,
    'must be a host name in lower case without wildcard, such as shop.example.com',
  )

/** A custom domain, and what it leads to. */
export const CustomDomain = z
  .object({
    host: z.string(),
    tenant: z.string(),
    worker: z.string(),
    environment,
    status: z.enum(['pending', 'verified']).describe('A pending one answers nothing'),
    verification: z.object({ name: z.string(), type: z.literal('TXT'), value: z.string() }).describe('The DNS record that proves whose it is'),
    createdAt: timestampSchema,
    verifiedAt: timestampSchema.nullable(),
  })
  .meta({ id: 'CustomDomain' })

/** Where a deployment came from. */
export const deploymentMetadata = z.strictObject({
  commit: text(100).optional(),
  branch: text(255).optional(),
  author: text(255).optional(),
  version: text(100).optional().describe("The author's own name for it; versions are counted apart from this"),
  message: text(1000).optional(),
})
