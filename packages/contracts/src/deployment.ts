import * as z from 'zod'
import { idSchema, timestampSchema, workerNameSchema } from '@dot-do/worker-schemas'
import { access, deploymentMetadata, environment, tenant, versionNumber, type Environment } from './published.ts'

/** What a published worker is called; names of the platform's own are refused. */
export const service = workerNameSchema

/** Names one attempt to publish. */
export const deploymentId = idSchema('dep')

/** The other way to say where: internal is an environment of its own, public and tenant are production. */
export const tier = z.enum(['internal', 'public', 'tenant'])

/** One of the tiers. */
export type Tier = z.output<typeof tier>

/** Which worker and where; production unless told. */
export const target = { service, environment: environment.optional(), tenant: tenant.optional() }

interface Target {
  service?: string | undefined
  environment?: Environment | undefined
  tier?: Tier | undefined
  tenant?: string | undefined
}

/** The environment that a target means. */
export function environmentOf({ environment, tier }: Pick<Target, 'environment' | 'tier'>): Environment {
  return tier === 'internal' ? 'internal' : (environment ?? 'production')
}

/** What a call is about, where its permission is narrowed. */
export function about(input: Target, asker: { tenant: string }) {
  return { ...aboutAll(input, asker), environment: environmentOf(input) }
}

/** The same for what a worker has once for all its environments. */
export function aboutAll(input: Pick<Target, 'service' | 'tenant'>, asker: { tenant: string }) {
  return { ...(input.service !== undefined && { service: input.service }), tenant: input.tenant ?? asker.tenant }
}

/** What a binding, a variable or a secret is called in a worker's env. */
export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be a name such as API_URL')
  .refine((name) => !['__proto__', 'constructor', 'prototype', 'ASSETS'].includes(name), 'is a reserved name')

/** What a worker may hold of the platform; anything else is refused, and so is whatever says more than its kind does. */
export const Binding = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('db'), name: variableName }).describe("Things of the worker's tenant, and of nobody else"),
  z.strictObject({ type: z.literal('kv'), name: variableName }).describe('Small values by key, the tenant’s own'),
  z.strictObject({ type: z.literal('bucket'), name: variableName }).describe('Objects by key, the tenant’s own'),
  z.strictObject({ type: z.literal('worker'), name: variableName, service }).describe('Another worker of the same tenant and environment, by fetch and RPC'),
])

/** What a module is to whoever imports it. */
export const moduleType = z.enum(['esm', 'cjs', 'text', 'data', 'json', 'wasm', 'sourcemap'])

/** A module as it is sent. */
export const ModuleInput = z.strictObject({
  name: z.string().min(1).max(255).describe('A relative path, `lib/greet.js`'),
  content: z.string().describe('Base64'),
  type: moduleType.optional().describe('Told by the extension unless given'),
})

/** A static file as it is sent. */
export const AssetInput = z.strictObject({
  path: z.string().min(2).max(1024).describe('`/index.html`'),
  content: z.string().describe('Base64'),
})

/** One attempt to change what is live somewhere, and how it ended. */
export const Deployment = z
  .object({
    id: deploymentId,
    service: z.string(),
    environment,
    tenant: z.string().describe('`default`: the platform itself'),
    tier: tier.nullable(),
    action: z.enum(['deploy', 'rollback', 'promote', 'canary', 'unpublish']),
    status: z.enum(['pending', 'live', 'preview', 'failed', 'down']).describe('preview: uploaded and not made live; down: nothing is live after it'),
    version: z.int().nullable(),
    formerVersion: z.int().nullable().describe('What was live before'),
    url: z.string(),
    previewUrl: z.string().nullable(),
    metadata: deploymentMetadata,
    actor: z.string(),
    createdAt: timestampSchema,
    finishedAt: timestampSchema.nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: 'Deployment' })

/** What a version is made of. It never changes; metadata is that of its first deployment. */
export const PublishedVersion = z
  .object({
    service: z.string(),
    tenant: z.string(),
    version: versionNumber,
    sha256: z.string().describe('Of modules, assets, bindings, variables and settings together'),
    sizeBytes: z.int(),
    mainModule: z.string().nullable(),
    modules: z.array(z.object({ name: z.string(), type: moduleType, sizeBytes: z.int(), sha256: z.string() })),
    assets: z.array(z.object({ path: z.string(), sizeBytes: z.int(), sha256: z.string() })),
    bindings: z.array(z.object({ name: z.string(), type: z.string(), service: z.string().optional() })),
    vars: z.record(z.string(), z.unknown()),
    compatibilityDate: z.string(),
    compatibilityFlags: z.array(z.string()),
    access: access.nullable().describe('null: what is usual where it is published'),
    metadata: deploymentMetadata,
    createdAt: timestampSchema,
    createdBy: z.string(),
  })
  .meta({ id: 'PublishedVersion' })

const Change = z.object({
  name: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  patch: z.string().optional().describe('Unified diff, for text that is not too long'),
})

/** What differs between two versions; what is alike is left out. */
export const VersionDiff = z
  .object({
    service: z.string(),
    tenant: z.string(),
    from: versionNumber,
    to: versionNumber,
    modules: z.array(Change),
    assets: z.array(Change),
    bindings: z.array(Change),
    vars: z.array(Change),
    settings: z.array(Change),
  })
  .meta({ id: 'VersionDiff' })

/** A secret as it is shown: everything but its value. `version` counts its changes. */
export const PublishedSecret = z
  .object({ name: z.string(), service: z.string(), environment, tenant: z.string(), version: z.int(), updatedAt: timestampSchema, updatedBy: z.string() })
  .meta({ id: 'PublishedSecret' })

/** What publishing answers: what happened, and where it answers now. */
export const Published = z.object({ deployment: Deployment, version: versionNumber, url: z.string(), previewUrl: z.string() }).meta({ id: 'Published' })
