-- What things are to each other, every change in the order of commit, and states that come back.

alter table db.thing_versions drop constraint thing_versions_operation_check;
alter table db.thing_versions add constraint thing_versions_operation_check check (operation in ('upsert', 'update', 'delete', 'restore'));

-- Indexes of all things, deleted ones too. A planner without statistics, as the embedded PostgreSQL has none, takes `deleted_at is null` for so rare that it would rather read
-- all of a namespace in an index with that condition than look one thing up by its key.
drop index db.things_by_type;
create index things_by_type on db.things (ns, type, id) include (deleted_at);
create index things_by_time on db.things (ns, updated_at, id);
create index things_by_deletion on db.things (deleted_at) where deleted_at is not null;

-- A relationship is shown while both its ends are there. What was taken back is no longer here; its last state is in db.changes.
create table db.relationships (
  ns text collate "C" not null,
  id text collate "C" not null,
  from_id text collate "C" not null,
  predicate text collate "C" not null,
  to_id text collate "C" not null,
  data jsonb not null,
  version integer not null check (version > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (ns, from_id, predicate, to_id),
  foreign key (ns, from_id) references db.things (ns, id),
  foreign key (ns, to_id) references db.things (ns, id)
);

create index relationships_incoming on db.relationships (ns, to_id, predicate, from_id);

-- Every change, in the order of commit: positions are given under a lock that is held until the commit. The state of a thing is in db.thing_versions.
create table db.changes (
  position bigint generated always as identity primary key,
  ns text collate "C" not null,
  kind text not null check (kind in ('thing', 'relationship')),
  id text collate "C" not null,
  type text collate "C" not null,
  version integer not null,
  operation text not null,
  actor text not null,
  at timestamptz not null,
  state jsonb
);

create index changes_in_order on db.changes (ns, position);
create index changes_by_time on db.changes (ns, at);
create index changes_by_id on db.changes (ns, id, version);
create index changes_by_from on db.changes (ns, (state ->> 'from')) where kind = 'relationship';
create index changes_by_to on db.changes (ns, (state ->> 'to')) where kind = 'relationship';

insert into db.changes (ns, kind, id, type, version, operation, actor, at)
  select ns, 'thing', id, type, version, operation, actor, at from db.thing_versions order by at, ns, id, version;

create function db.relationship_json(relationship db.relationships) returns jsonb language sql stable
  return jsonb_build_object(
    'id', relationship.id, 'ns', relationship.ns, 'from', relationship.from_id, 'predicate', relationship.predicate, 'to', relationship.to_id,
    'data', relationship.data, 'version', relationship.version, 'createdAt', db.iso(relationship.created_at), 'updatedAt', db.iso(relationship.updated_at));

-- Locks what commands are about until the commit, in one order for everybody, so that two batches over the same things wait for each other instead of deadlocking.
-- Whoever is about very many things locks their namespaces as a whole: a server has room for some thousand locks only.
create function db.lock_named(commands jsonb) returns void language plpgsql as $$
declare
  named constant bigint[] := array(
    select distinct hashtextextended((c ->> 'ns') || '/' || (c ->> field), 0) as key
    from jsonb_array_elements(commands) c, unnest(case when c ? 'predicate' then '{from,to}' else '{id}'::text[] end) field order by key);
  namespaces constant bigint[] := array(select distinct hashtextextended(c ->> 'ns', 1) as key from jsonb_array_elements(commands) c order by key);
  key bigint;
begin
  if cardinality(named) > 200 then
    foreach key in array namespaces loop perform pg_advisory_xact_lock(key); end loop;
    return;
  end if;
  foreach key in array namespaces loop perform pg_advisory_xact_lock_shared(key); end loop;
  foreach key in array named loop perform pg_advisory_xact_lock(key); end loop;
end $$;

-- Raises DO404 unless the thing that a field of the command names is there.
create function db.demand_thing(command jsonb, field text) returns void language plpgsql as $$
begin
  if not exists (select from db.things t where t.ns = command ->> 'ns' and t.id = command ->> field and t.deleted_at is null) then
    raise exception using errcode = 'DO404', detail = (command ->> 'path') || field, message = format('No thing %s', command ->> field);
  end if;
end $$;

-- One command about a thing: { operation, ns, id, type?, content?, data?, visibility?, version?, ifVersion?, path }. `path` is where its input stands in the caller's, for
-- errors. Raises DO404 and DO409, which the Worker knows as NOT_FOUND and CONFLICT; the error's detail is the path. Without a change, `change` is empty.
create function db.change_thing(command jsonb, actor text, at timestamptz, out answer jsonb, out change db.changes) language plpgsql as $$
declare
  operation constant text := command ->> 'operation';
  before record;
  state record;
  current_version integer;
  moment timestamptz;
begin
  select t.type, t.content, t.data, t.visibility, t.version, t.created_at, t.updated_at, t.deleted_at into before
    from db.things t where t.ns = command ->> 'ns' and t.id = command ->> 'id';
  current_version := case when before.deleted_at is null then coalesce(before.version, 0) else 0 end;

  -- Who restores a deleted thing may name the version that the deletion was.
  if (command ->> 'ifVersion')::integer <> current_version
    and not (operation = 'restore' and (command ->> 'ifVersion')::integer is not distinct from before.version) then
    raise exception using errcode = 'DO409', detail = (command ->> 'path') || 'ifVersion',
      message = case current_version when 0 then 'There is no such thing yet' else format('The current version is %s', current_version) end;
  end if;
  if operation = 'restore' then
    state := db.state_to_restore(command, current_version, at);
  elsif current_version = 0 and operation <> 'upsert' then
    raise exception using errcode = 'DO404', detail = (command ->> 'path') || 'id', message = format('No thing %s', command ->> 'id');
  else
    select coalesce(command ->> 'type', before.type) as type, coalesce(command ->> 'content', before.content) as content,
      case when operation = 'update' and command ? 'data'
        then (before.data || (command -> 'data')) - array(select d.key from jsonb_each(command -> 'data') d where d.value = 'null'::jsonb)
        else coalesce(command -> 'data', before.data) end as data,
      coalesce(command ->> 'visibility', before.visibility) as visibility into state;
  end if;

  if current_version > 0 and operation <> 'delete'
    and (state.type, state.content, state.data, state.visibility) = (before.type, before.content, before.data, before.visibility) then
    select db.thing_json(t) into answer from db.things t where t.ns = command ->> 'ns' and t.id = command ->> 'id';
    return;
  end if;

  -- A clock that went back does not put a version before the one it follows.
  moment := greatest(at, before.updated_at);
  insert into db.things as t (ns, id, type, content, data, visibility, version, created_at, updated_at, deleted_at)
    values (command ->> 'ns', command ->> 'id', state.type, state.content, state.data, state.visibility, coalesce(before.version, 0) + 1,
      coalesce(before.created_at, moment), moment, case operation when 'delete' then moment end)
    on conflict (ns, id) do update set type = excluded.type, content = excluded.content, data = excluded.data, visibility = excluded.visibility,
      version = excluded.version, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at
    returning db.thing_json(t) into answer;
  insert into db.thing_versions (ns, id, version, operation, type, content, data, visibility, actor, at)
    values (command ->> 'ns', command ->> 'id', coalesce(before.version, 0) + 1, operation, state.type, state.content, state.data, state.visibility, actor, moment);
  change.ns := command ->> 'ns';
  change.kind := 'thing';
  change.id := command ->> 'id';
  change.type := state.type;
  change.version := coalesce(before.version, 0) + 1;
  change.operation := operation;
  change.actor := actor;
  change.at := moment;
end $$;

-- The state that `restore` brings back: that of the version it names, or else that before the deletion, for 30 days after it.
create function db.state_to_restore(command jsonb, current_version integer, at timestamptz) returns record language plpgsql as $$
declare
  last record;
  state record;
begin
  select t.type, t.content, t.data, t.visibility, t.deleted_at into last from db.things t where t.ns = command ->> 'ns' and t.id = command ->> 'id';
  if not found or last.deleted_at < at - interval '30 days' then
    raise exception using errcode = 'DO404', detail = (command ->> 'path') || 'id', message = format(
      case when last.type is null then 'No thing %s' else '%s was deleted more than 30 days ago and cannot be restored' end, command ->> 'id');
  end if;
  if command ? 'version' then
    select v.type, v.content, v.data, v.visibility into state from db.thing_versions v
      where v.ns = command ->> 'ns' and v.id = command ->> 'id' and v.version = (command ->> 'version')::integer and v.operation <> 'delete';
    if found then return state; end if;
    raise exception using errcode = 'DO404', detail = (command ->> 'path') || 'version',
      message = format('%s has no version %s that could come back', command ->> 'id', command ->> 'version');
  end if;
  if current_version > 0 then
    raise exception using errcode = 'DO409', detail = (command ->> 'path') || 'id',
      message = format('%s is not deleted; name the version that is to come back', command ->> 'id');
  end if;
  select last.type, last.content, last.data, last.visibility into state;
  return state;
end $$;

-- One command about a relationship: { operation, ns, id, from, predicate, to, data?, ifVersion?, path }. Its id is made of its ends and name, so what was taken back and is
-- said again has the same id, and the next version.
create function db.change_relationship(command jsonb, actor text, at timestamptz, out answer jsonb, out change db.changes) language plpgsql as $$
declare
  operation constant text := command ->> 'operation';
  before db.relationships;
  after db.relationships;
begin
  perform db.demand_thing(command, 'from');
  perform db.demand_thing(command, 'to');
  select * into before from db.relationships r
    where r.ns = command ->> 'ns' and r.from_id = command ->> 'from' and r.predicate = command ->> 'predicate' and r.to_id = command ->> 'to';

  if (command ->> 'ifVersion')::integer <> coalesce(before.version, 0) then
    raise exception using errcode = 'DO409', detail = (command ->> 'path') || 'ifVersion',
      message = case when before.version is null then 'There is no such relationship yet' else format('The current version is %s', before.version) end;
  end if;
  if operation = 'unrelate' and before.version is null then
    raise exception using errcode = 'DO404', detail = (command ->> 'path') || 'predicate',
      message = format('No relationship %s from %s to %s', command ->> 'predicate', command ->> 'from', command ->> 'to');
  end if;
  if operation = 'relate' and before.data = command -> 'data' then
    answer := db.relationship_json(before);
    return;
  end if;

  after := before;
  after.updated_at := greatest(at, before.updated_at);
  after.version := 1 + coalesce(before.version,
    (select max(c.version) from db.changes c where c.ns = command ->> 'ns' and c.id = command ->> 'id' and c.kind = 'relationship'), 0);
  if operation = 'unrelate' then
    delete from db.relationships r where r.ns = before.ns and r.from_id = before.from_id and r.predicate = before.predicate and r.to_id = before.to_id;
  else
    insert into db.relationships as r (ns, id, from_id, predicate, to_id, data, version, created_at, updated_at)
      values (command ->> 'ns', command ->> 'id', command ->> 'from', command ->> 'predicate', command ->> 'to', command -> 'data', after.version,
        after.updated_at, after.updated_at)
      on conflict (ns, from_id, predicate, to_id) do update set data = excluded.data, version = excluded.version, updated_at = excluded.updated_at
      returning * into after;
  end if;
  answer := db.relationship_json(after);
  change.ns := command ->> 'ns';
  change.kind := 'relationship';
  change.id := after.id;
  change.type := '';
  change.version := after.version;
  change.operation := operation;
  change.actor := actor;
  change.at := after.updated_at;
  change.state := answer;
end $$;

-- All commands in order, or none: what each gave, and how many changed anything. The lock on the order of changes comes last, so that it is held for the shortest time.
create function db.apply_all(commands jsonb, actor text, at timestamptz, out results jsonb, out changed integer) language plpgsql as $$
declare
  command jsonb;
  done record;
  answers jsonb[] := '{}';
  changes db.changes[] := '{}';
begin
  perform db.lock_named(commands);
  for command in select c from jsonb_array_elements(commands) c loop
    if command ? 'predicate' then
      select * into done from db.change_relationship(command, actor, at);
    else
      select * into done from db.change_thing(command, actor, at);
    end if;
    answers := array_append(answers, done.answer);
    if (done.change).operation is not null then changes := array_append(changes, done.change); end if;
  end loop;
  results := to_jsonb(answers);
  changed := cardinality(changes);
  if changed = 0 then return; end if;
  perform pg_advisory_xact_lock(4873951207);
  insert into db.changes (ns, kind, id, type, version, operation, actor, at, state)
    select c.ns, c.kind, c.id, c.type, c.version, c.operation, c.actor, c.at, c.state
    from unnest(changes) with ordinality as c (position, ns, kind, id, type, version, operation, actor, at, state, ordinal) order by c.ordinal;
end $$;

-- A Worker of the release before calls this while the next one is put up.
create or replace function db.apply(commands jsonb, actor text, at timestamptz) returns jsonb language sql
  as 'select results from db.apply_all(commands, actor, at)';
drop function db.apply_command(jsonb, text, timestamptz);

-- The things of a namespace that changed before a place, newest first. Without sorting, so that it walks along things_by_time and stops when there are enough, also where the
-- planner has no statistics.
create function db.recent(space text, before_time timestamptz, before_id text, most integer) returns setof jsonb language sql stable
  set enable_sort = off set enable_bitmapscan = off as $$
  select db.thing_json(t) from db.things t where t.ns = space and (t.updated_at, t.id) < (before_time, before_id) and t.deleted_at is null
  order by t.updated_at desc, t.id desc limit most
$$;

-- A page of the relationships met on a walk, nearest first, each once at its smallest distance with its `depth`; then by the end the walk comes from, by predicate, by the other
-- end. asked: { ns, start, predicate?, depth, backwards, limit, after?: [depth, near, predicate, far] }. Null when it would meet more than 10000 things, or look at more than
-- 50000 relationships to find them.
create function db.walk(asked jsonb) returns jsonb language plpgsql stable as $$
declare
  near constant text := case when (asked ->> 'backwards')::boolean then 'to_id' else 'from_id' end;
  far constant text := case when (asked ->> 'backwards')::boolean then 'from_id' else 'to_id' end;
  depth constant integer := asked ->> 'depth';
  space constant text := asked ->> 'ns';
  predicate constant text := asked ->> 'predicate';
  met text[] := array[asked ->> 'start'];
  -- Where the things of each distance end in `met`.
  ends integer[] := '{1}';
  frontier text[] := met;
  looked_at integer;
  -- The first distance of the page.
  level integer := coalesce((asked #>> '{after,0}')::integer, 1);
  page jsonb := '[]';
  part jsonb;
begin
  if not exists (select from db.things t where t.ns = space and t.id = asked ->> 'start' and t.deleted_at is null) then return page; end if;
  for step in 1 .. depth - 1 loop
    execute format(
      'with looked as materialized (
         select r.%2$I as far from db.relationships r
         where r.ns = $1 and r.%1$I = any ($2) and ($3 is null or r.predicate = $3) limit 50001),
       reached as (
         select distinct l.far from looked l join db.things t on t.ns = $1 and t.id = l.far and t.deleted_at is null
         where l.far <> all ($4))
       select (select count(*) from looked), array(select r.far from reached r order by r.far)', near, far)
      into looked_at, frontier using space, frontier, predicate, met;
    met := met || frontier;
    if looked_at > 50000 or cardinality(met) > 10000 then return null; end if;
    ends := ends || cardinality(met);
    exit when frontier = '{}';
  end loop;
  for distance in level .. least(depth, cardinality(ends)) loop
    execute format(
      'select coalesce(jsonb_agg(db.relationship_json(p.r) || jsonb_build_object(''depth'', $4)), ''[]'') from (
         select r from db.relationships r join db.things t on t.ns = r.ns and t.id = r.%2$I and t.deleted_at is null
         where r.ns = $1 and r.%1$I = any ($2) and ($3 is null or r.predicate = $3)
           and ($5 is null or (r.%1$I, r.predicate, r.%2$I) > ($5 ->> 1, $5 ->> 2, $5 ->> 3))
         order by r.%1$I, r.predicate, r.%2$I limit $6) p', near, far)
      into part using space, met[coalesce(ends[distance - 1], 0) + 1 : ends[distance]], predicate, distance,
        case when distance = level then asked -> 'after' end, (asked ->> 'limit')::integer - jsonb_array_length(page);
    page := page || part;
    exit when jsonb_array_length(page) >= (asked ->> 'limit')::integer;
  end loop;
  return page;
end $$;

-- Removes things that were deleted before a moment, at most so many, with all that is kept of them: versions, relationships, changes. Tells how many of each.
create function db.purge_deleted(deleted_before timestamptz, most integer) returns jsonb language plpgsql as $$
declare
  victims constant jsonb := (
    select coalesce(jsonb_agg(jsonb_build_object('ns', t.ns, 'id', t.id)), '[]')
    from (select ns, id from db.things where deleted_at < deleted_before order by deleted_at, ns, id limit most) t);
  victim record;
  things integer := 0;
  relationships integer := 0;
  removed integer;
begin
  perform db.lock_named(victims);
  -- What came back while the locks were awaited stays.
  for victim in
    select t.ns, t.id from jsonb_array_elements(victims) v join db.things t on t.ns = v ->> 'ns' and t.id = v ->> 'id' where t.deleted_at < deleted_before
  loop
    delete from db.relationships r where r.ns = victim.ns and (r.from_id = victim.id or r.to_id = victim.id);
    get diagnostics removed = row_count;
    relationships := relationships + removed;
    delete from db.changes c where c.ns = victim.ns and c.kind = 'relationship' and (c.state ->> 'from' = victim.id or c.state ->> 'to' = victim.id);
    delete from db.changes c where c.ns = victim.ns and c.id = victim.id and c.kind = 'thing';
    delete from db.thing_versions v where v.ns = victim.ns and v.id = victim.id;
    delete from db.things t where t.ns = victim.ns and t.id = victim.id;
    things := things + 1;
  end loop;
  return jsonb_build_object('things', things, 'relationships', relationships);
end $$;
