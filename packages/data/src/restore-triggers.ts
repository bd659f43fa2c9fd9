import type { OwnerSession } from './backup-session.ts'
import { DatabaseError } from './engines/engine.ts'

/**
 * Keeps triggers from firing and foreign keys from being checked for the rest of the transaction, so that tables may come in any order. Gives what is to run once all
 * rows are there. A superuser is a replica for so long. Other owners take the foreign keys away and put them back, which checks them, and disable the triggers one by one.
 */
export async function withoutTriggers(session: OwnerSession): Promise<string[]> {
  await session.query('savepoint triggers')
  try {
    await session.query('set local session_replication_role = replica')
    return []
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== '42501') throw error
    await session.query('rollback to savepoint triggers')
  }
  const { rows } = await session.query(`
    select format('alter table %s disable trigger %I', t.tgrelid::regclass, t.tgname),
      format('alter table %s enable %s trigger %I', t.tgrelid::regclass, case t.tgenabled when 'A' then 'always' when 'R' then 'replica' else '' end, t.tgname)
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in (select service from platform.roles) and not t.tgisinternal and t.tgenabled <> 'D'
    union all
    select format('alter table %s drop constraint %I', k.conrelid::regclass, k.conname),
      format('alter table %s add constraint %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in (select service from platform.roles) and k.contype = 'f' and k.conparentid = 0`)
  for (const [off] of rows) await session.query(off ?? '')
  return rows.map(([, on]) => on ?? '')
}
