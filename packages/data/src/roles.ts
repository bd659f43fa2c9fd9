import { quoteName, quoteText } from './engines/values.ts'

/** Services that have a second role, `<service>_reader`, for queries a person writes. */
const withReader = new Set(['db'])

/** Services with functions that other services call in transactions of their own; their migrations say which. */
const withOpenFunctions = new Set(['queue'])

/** The roles that belong to a service; its own comes first. */
export function rolesOf(service: string): string[] {
  return withReader.has(service) ? [service, `${service}_reader`] : [service]
}

/** SQL that keeps the database itself from being common ground: nobody makes temporary tables, and `public` is closed. Idempotent; run once, before any service's. */
export const commonStatements = `
do $$ begin
  execute format('revoke temporary, create on database %I from public', current_database());
end $$;
revoke all on schema public from public;
create schema if not exists extensions;
grant usage on schema extensions to public;
alter default privileges revoke execute on functions from public;
alter default privileges in schema extensions grant execute on functions to public;
create schema if not exists platform;
revoke all on schema platform from public;
`

/**
 * SQL that makes a service's schema and its LOGIN role, or brings both back to what they should be. Idempotent.
 * The schema is the owner's. The role is a member of nothing, owns nothing, creates nothing, and has rows, sequences and functions of its own schema only,
 * also of tables the owner makes later. A function in another schema is callable where that schema's migrations grant it.
 * Nothing is compiled for it: its statements are short, and one that may not scan looks so dear to a server's planner that a tenth of a second would be spent on that.
 */
export function serviceRoleStatements(service: string, password: string): string {
  const name = quoteName(service)
  return `
${loginRole(service, '"$user"', password)}
alter role ${name} set statement_timeout = '30s';
alter role ${name} set jit = off;
create schema if not exists ${name};
revoke all on schema ${name} from public, ${name};
grant usage on schema ${name} to ${withOpenFunctions.has(service) ? 'public' : name};
grant select, insert, update, delete on all tables in schema ${name} to ${name};
grant usage, select, update on all sequences in schema ${name} to ${name};
grant execute on all functions in schema ${name} to ${name};
alter default privileges in schema ${name} grant select, insert, update, delete on tables to ${name};
alter default privileges in schema ${name} grant usage, select, update on sequences to ${name};
alter default privileges in schema ${name} grant execute on functions to ${name};
`
}

/** SQL for the role that only reads a service's schema, five seconds at a time. Run after serviceRoleStatements of the same service. Idempotent. */
export function readerRoleStatements(service: string, password: string): string {
  const schema = quoteName(service)
  const name = quoteName(`${service}_reader`)
  return `
${loginRole(`${service}_reader`, schema, password)}
alter role ${name} set default_transaction_read_only = on;
alter role ${name} set statement_timeout = '5s';
grant usage on schema ${schema} to ${name};
grant select on all tables in schema ${schema} to ${name};
alter default privileges in schema ${schema} grant select on tables to ${name};
`
}

function loginRole(role: string, searchPath: string, password: string): string {
  const name = quoteName(role)
  return `
do $$ begin
  if exists (select from pg_roles where rolname = ${quoteText(role)} and (rolsuper or rolname = current_user)) then
    raise exception 'the role % is not a service''s', ${quoteText(role)};
  end if;
  if not exists (select from pg_roles where rolname = ${quoteText(role)}) then create role ${name}; end if;
end $$;
alter role ${name} login noinherit password ${quoteText(password)};
do $$ declare granted record; begin
  for granted in select g.rolname from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member where r.rolname = ${quoteText(role)} loop
    execute format('revoke %I from %I', granted.rolname, ${quoteText(role)});
  end loop;
end $$;
alter role ${name} set search_path = ${searchPath}, extensions;
`
}
