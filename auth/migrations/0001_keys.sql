-- API keys. The key itself is never stored: `hash` is HMAC-SHA256 of it with a pepper that only the Worker knows.
create table auth.keys (
  id text collate "C" primary key,
  hash text not null unique,
  preview text not null,
  name text not null,
  tenant text not null,
  permissions text[] not null,
  limit_per_minute integer,
  allowed_addresses text[] not null default '{}',
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  -- The key this one took the place of; unique, so that a key is rotated once.
  replaces text unique references auth.keys (id),
  replaced_by text
);

create index keys_by_age on auth.keys (created_at desc, id desc);

-- Append-only, each entry's hash over itself and the hash before it.
create table auth.audit (
  sequence bigint generated always as identity primary key,
  id text not null unique,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  tenant text not null,
  detail jsonb not null,
  hash text not null
);

create index audit_by_subject on auth.audit (subject, sequence desc);

revoke update, delete, truncate on auth.audit from auth;

-- What keyed calls were answered, for 24 hours.
create table auth.ledger (
  principal text not null,
  operation text not null,
  key text not null,
  input_hash text not null,
  answer jsonb not null,
  created_at timestamptz not null default now(),
  primary key (principal, operation, key)
);

create index ledger_by_age on auth.ledger (created_at);

-- Holds a key until the transaction ends; raises DO409 unless it is in force, so that nothing follows from a key that ended meanwhile.
create function auth.hold_key(key_id text, now timestamptz) returns void language plpgsql as $$
declare
  held auth.keys;
begin
  select * into held from auth.keys where id = key_id for update;
  if held.revoked_at is not null or held.expires_at <= now then
    raise exception using errcode = 'DO409', detail = 'id', message = 'This key is no longer in force';
  end if;
  if held.replaced_by is not null then
    raise exception using errcode = 'DO409', detail = 'id', message = format('This key was rotated: %s took its place', held.replaced_by);
  end if;
end $$;

create function auth.audit_hash(before text, entry auth.audit) returns text language sql stable
  return encode(sha256(convert_to(before || jsonb_build_array(
    entry.id, to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), entry.actor, entry.action, entry.subject, entry.tenant, entry.detail)::text, 'UTF8')), 'hex');

-- Writers wait for each other until commit, so that the chain has no forks.
create function auth.append_audit(id text, at timestamptz, actor text, action text, subject text, tenant text, detail jsonb) returns void language plpgsql as $$
declare
  entry auth.audit;
begin
  perform pg_advisory_xact_lock(hashtext('auth.audit'));
  entry := row(0, id, at, actor, action, subject, tenant, detail, '');
  entry.hash := auth.audit_hash(coalesce((select hash from auth.audit order by sequence desc limit 1), ''), entry);
  insert into auth.audit (id, at, actor, action, subject, tenant, detail, hash)
    values (entry.id, entry.at, entry.actor, entry.action, entry.subject, entry.tenant, entry.detail, entry.hash);
end $$;
