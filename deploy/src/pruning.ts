import { database } from '@dot-do/worker-data/database'
import { onward, type Call } from '@dot-do/worker-kernel/call'
import { log } from '@dot-do/worker-utils'
import { and, eq, lte, notInArray } from 'drizzle-orm'
import { cloudflareApi } from './cloudflare.ts'
import type { Env } from './env.ts'
import type { Place } from './places.ts'
import { servingVersions, slotKey, type PublishedSlot } from './pointers.ts'
import { deleteScript } from './scripts-api.ts'
import { isScript } from './secrets.ts'
import { scripts } from './tables.ts'

/** How many versions an environment keeps, and how many of those that were live before are kept however old they are. */
const KEPT = 20
const KEPT_FORMER = 5

/** Drops the versions an environment has too many of, and deletes their scripts. What fails is done next time. */
export async function prune(place: Place, slot: PublishedSlot, call: Call<Env>): Promise<void> {
  try {
    const surplus = surplusOf(slot)
    if (surplus.length === 0) return
    const { versions } = await call.env.DISPATCHER_SERVICE.dropVersions({ ...slotKey(place), versions: surplus }, onward(call))
    await deleteScripts(place, { kept: versions.map(({ version }) => version), upTo: Math.max(...surplus) }, call)
  } catch (cause) {
    log('warn', 'versions_not_pruned', { ...place, requestId: call.requestId, cause })
  }
}

/** The versions an environment may lose: past the newest twenty, and neither serving nor next in line for a rollback. */
export function surplusOf(slot: Pick<PublishedSlot, 'live' | 'former' | 'canary' | 'versions'>): number[] {
  const needed = new Set([...servingVersions(slot), ...slot.former.slice(0, KEPT_FORMER)])
  return slot.versions
    .map(({ version }) => version)
    .sort((a, b) => b - a)
    .slice(KEPT)
    .filter((version) => !needed.has(version))
    .slice(0, 100)
}

/** Newer versions than those dropped are left alone: one that is not kept yet may be on its way. */
async function deleteScripts(place: Place, { kept, upTo }: { kept: number[]; upTo: number }, call: Call<Env>): Promise<void> {
  const { tenant, service, environment } = place
  const gone = await database(call)
    .select()
    .from(scripts)
    .where(
      and(
        eq(scripts.tenant, tenant),
        eq(scripts.service, service),
        eq(scripts.environment, environment),
        lte(scripts.version, upTo),
        notInArray(scripts.version, kept),
      ),
    )
    .limit(100)
  for (const row of gone) {
    await deleteScript(cloudflareApi(call.env), row)
    await database(call).delete(scripts).where(isScript(row))
  }
}
