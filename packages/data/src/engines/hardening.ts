// What PUBLIC may call by default and a service may not, because all services share the embedded engine's one backend.
const functions = [
  // They change the session, and the role is part of the session.
  'set_config',
  'setseed',
  // They run a query given as text, past any look at the statement.
  'query_to_xml',
  'query_to_xmlschema',
  'query_to_xml_and_xmlschema',
  'cursor_to_xml',
  'cursor_to_xmlschema',
  'ts_stat',
  // They hold up everybody: one backend, and no timeout.
  'pg_sleep',
  'pg_sleep_for',
  'pg_sleep_until',
  'pg_cancel_backend',
  'pg_terminate_backend',
  // They outlive the batch in the session. The pg_advisory_xact_* family ends with the transaction and stays.
  'pg_advisory_lock',
  'pg_advisory_lock_shared',
  'pg_try_advisory_lock',
  'pg_try_advisory_lock_shared',
  'pg_advisory_unlock',
  'pg_advisory_unlock_shared',
  'pg_advisory_unlock_all',
  'pg_export_snapshot',
  // Large objects belong to no schema.
  'lo_creat',
  'lo_create',
  'lo_from_bytea',
  'lo_open',
  'lo_close',
  'lo_get',
  'lo_put',
  'lo_lseek',
  'lo_lseek64',
  'lo_tell',
  'lo_tell64',
  'lo_truncate',
  'lo_truncate64',
  'lo_unlink',
  'lo_import',
  'lo_export',
  'loread',
  'lowrite',
  // Channels and the log belong to nobody.
  'pg_notify',
  'pg_listening_channels',
  'pg_logical_emit_message',
]

/**
 * SQL that takes from PUBLIC what would let one role of a shared backend reach another. Idempotent, and quick when nothing is left to take.
 * The session user is a superuser and the role is only set, so a role that could call set_config would be back at superuser in one step.
 */
export const hardening = `
do $$
declare target record;
begin
  for target in
    select oid::regprocedure as name from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and proname = any (array[${functions.map((name) => `'${name}'`).join(',')}])
      and has_function_privilege('public', oid, 'execute')
  loop
    execute format('revoke execute on function %s from public', target.name);
  end loop;
  if has_table_privilege('public', 'pg_catalog.pg_settings', 'update') then
    revoke update on pg_catalog.pg_settings from public;
  end if;
end $$`
