import { database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import { and, eq, inArray } from 'drizzle-orm'
import { cloudflareApi } from './cloudflare.ts'
import type { Env } from './env.ts'
import type { Place } from './places.ts'
import { deleteSecret, putSecret } from './scripts-api.ts'
import { open } from './sealing.ts'
import { scripts, secrets } from './tables.ts'

/** A secret as it is to be given to a script. */
export interface OpenSecret {
  name: string
  version: number
  text: string
}

type ScriptRow = typeof scripts.$inferSelect

/** How often a script is brought up to date before secrets that change all the while are called a conflict. */
const MAX_ROUNDS = 5

/** A worker's secrets in one environment, opened. */
export async function openSecrets(place: Place, call: Call<Env>): Promise<OpenSecret[]> {
  const found = [...(await sealedSecrets(place, call))]
  return Promise.all(found.map(async ([name, { version, sealed }]) => ({ name, version, text: await openOne({ name, sealed }, place, call) })))
}

/** Gives the scripts of these versions today's secrets. Where they have them already, nothing is called but the database. */
export async function refreshSecrets(place: Place, versions: readonly number[], call: Call<Env>): Promise<void> {
  if (versions.length === 0) return
  const rows = await database(call)
    .select()
    .from(scripts)
    .where(
      and(
        eq(scripts.tenant, place.tenant),
        eq(scripts.service, place.service),
        eq(scripts.environment, place.environment),
        inArray(scripts.version, [...versions]),
      ),
    )
  for (const row of rows) await refreshScript(row, place, call)
}

/** Looks again after each round: a secret set meanwhile by somebody else must not be overwritten by an older one for good. */
async function refreshScript(row: ScriptRow, place: Place, call: Call<Env>): Promise<void> {
  const given = { ...row.secrets }
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const wanted = await sealedSecrets(place, call)
    const stale = [...new Set([...wanted.keys(), ...Object.keys(given)])].filter((name) => wanted.get(name)?.version !== given[name])
    if (stale.length === 0) return
    for (const name of stale) await bringUp(row, { name, secret: wanted.get(name), given, place }, call)
    await database(call).update(scripts).set({ secrets: given }).where(isScript(row))
  }
  throw new ServiceError('CONFLICT', `The secrets of ${place.service} changed all the while; try again`)
}

async function bringUp(
  row: ScriptRow,
  { name, secret, given, place }: { name: string; secret: Sealed | undefined; given: Record<string, number>; place: Place },
  call: Call<Env>,
): Promise<void> {
  const api = cloudflareApi(call.env)
  if (secret) {
    await putSecret(api, row, { name, text: await openOne({ name, sealed: secret.sealed }, place, call) })
    given[name] = secret.version
  } else {
    await deleteSecret(api, row, name)
    delete given[name]
  }
}

interface Sealed {
  version: number
  sealed: string
}

async function sealedSecrets({ tenant, service, environment }: Place, call: Call<Env>): Promise<Map<string, Sealed>> {
  const found = await database(call)
    .select()
    .from(secrets)
    .where(and(eq(secrets.tenant, tenant), eq(secrets.service, service), eq(secrets.environment, environment)))
  return new Map(found.flatMap(({ name, version, sealed }) => (sealed === null ? [] : [[name, { version, sealed }]])))
}

function openOne({ name, sealed }: { name: string; sealed: string }, { tenant, service, environment }: Place, call: Call<Env>): Promise<string> {
  return open(sealed, { tenant, service, environment, name }, call.env.DEPLOY_SECRET_KEY)
}

/** Names one script of the table. */
export function isScript({ tenant, service, environment, version, namespace }: Omit<ScriptRow, 'script' | 'secrets'>) {
  return and(
    eq(scripts.tenant, tenant),
    eq(scripts.service, service),
    eq(scripts.environment, environment),
    eq(scripts.version, version),
    eq(scripts.namespace, namespace),
  )
}
