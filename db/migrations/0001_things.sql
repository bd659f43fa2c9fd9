-- Things: the current state of each. Text that is compared is compared byte by byte, so that a page's cursor means the same everywhere.
create table db.things (
  ns text collate "C" not null,
  id text collate "C" not null,
  type text collate "C" not null,
  content text not null,
  data jsonb not null,
  visibility text not null check (visibility in ('private', 'public')),
  version integer not null check (version > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  primary key (ns, id)
);

create index things_by_type on db.things (ns, type, id) where deleted_at is null;

-- Every state a thing has had, the current one included.
create table db.thing_versions (
  ns text collate "C" not null,
  id text collate "C" not null,
  version integer not null,
  operation text not null check (operation in ('upsert', 'update', 'delete')),
  type text not null,
  content text not null,
  data jsonb not null,
  visibility text not null,
  actor text not null,
  at timestamptz not null,
  primary key (ns, id, version)
);

-- What keyed calls were answered, for 24 hours.
create table db.ledger (
  principal text not null,
  operation text not null,
  key text not null,
  input_hash text not null,
  answer jsonb not null,
  created_at timestamptz not null default now(),
  primary key (principal, operation, key)
);

create index ledger_by_age on db.ledger (created_at);

create function db.iso(at timestamptz) returns text language sql stable
  return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- The wire form of a thing, so that what is stored in the ledger is what was answered.
create function db.thing_json(thing db.things) returns jsonb language sql stable
  return jsonb_build_object(
    'ns', thing.ns, '$id', thing.id, '$type', thing.type, 'content', thing.content, 'data', thing.data, 'visibility', thing.visibility,
    'version', thing.version, 'createdAt', db.iso(thing.created_at), 'updatedAt', db.iso(thing.updated_at));

create function db.version_json(kept db.thing_versions) returns jsonb language sql stable
  return jsonb_build_object(
    'ns', kept.ns, '$id', kept.id, '$type', kept.type, 'content', kept.content, 'data', kept.data, 'visibility', kept.visibility,
    'version', kept.version, 'operation', kept.operation, 'actor', kept.actor, 'at', db.iso(kept.at));

-- One command: { operation, ns, id, type?, content?, data?, visibility?, ifVersion?, path }. `path` is where its input stands in the caller's, for errors.
-- Raises DO404 and DO409, which the Worker knows as NOT_FOUND and CONFLICT; the error's detail is the path.
create function db.apply_command(command jsonb, actor text, at timestamptz) returns jsonb language plpgsql as $$
declare
  operation constant text := command ->> 'operation';
  before db.things;
  after db.things;
  current_version integer := 0;
begin
  select * into before from db.things where ns = command ->> 'ns' and id = command ->> 'id';
  if before.deleted_at is null then current_version := coalesce(before.version, 0); end if;

  if (command ->> 'ifVersion')::integer <> current_version then
    raise exception using errcode = 'DO409', detail = (command ->> 'path') || 'ifVersion',
      message = case current_version when 0 then 'There is no such thing yet' else format('The current version is %s', current_version) end;
  end if;
  if current_version = 0 and operation <> 'upsert' then
    raise exception using errcode = 'DO404', detail = (command ->> 'path') || 'id', message = format('No thing %s', command ->> 'id');
  end if;

  after := before;
  after.ns := command ->> 'ns';
  after.id := command ->> 'id';
  after.deleted_at := case operation when 'delete' then at end;
  after.type := coalesce(command ->> 'type', before.type);
  after.content := coalesce(command ->> 'content', before.content);
  after.visibility := coalesce(command ->> 'visibility', before.visibility);
  if operation = 'update' and command ? 'data' then
    after.data := (before.data || (command -> 'data')) - array(select key from jsonb_each(command -> 'data') where value = 'null'::jsonb);
  else
    after.data := coalesce(command -> 'data', before.data);
  end if;
  if current_version > 0 and after = before then return db.thing_json(before); end if;

  after.version := coalesce(before.version, 0) + 1;
  after.created_at := coalesce(before.created_at, at);
  after.updated_at := at;
  insert into db.things select after.*
    on conflict (ns, id) do update set type = excluded.type, content = excluded.content, data = excluded.data, visibility = excluded.visibility,
      version = excluded.version, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at;
  insert into db.thing_versions values (after.ns, after.id, after.version, operation, after.type, after.content, after.data, after.visibility, actor, at);
  return db.thing_json(after);
end $$;

-- All commands in order, or none. Locks are taken in the order of the ids, so that two batches over the same things wait for each other instead of deadlocking.
create function db.apply(commands jsonb, actor text, at timestamptz) returns jsonb language plpgsql as $$
declare
  command jsonb;
  results jsonb := '[]';
begin
  perform pg_advisory_xact_lock(lock) from (
    select distinct hashtextextended((c ->> 'ns') || '/' || (c ->> 'id'), 0) as lock from jsonb_array_elements(commands) c order by lock
  ) locks;
  for command in select * from jsonb_array_elements(commands) loop
    results := results || jsonb_build_array(db.apply_command(command, actor, at));
  end loop;
  return results;
end $$;
