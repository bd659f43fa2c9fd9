-- Jobs: the truth about them, whatever messages say. A message in a lane only says which job to look at.
create table queue.jobs (
  id text collate "C" primary key,
  -- The order in which they were enqueued; that of a group.
  sequence bigint generated always as identity,
  ns text collate "C" not null,
  -- `<service>.<operation>`; other names of it are resolved before.
  type text collate "C" not null,
  state text not null check (state in ('pending', 'delayed', 'running', 'failed', 'completed', 'cancelled', 'dead')),
  priority smallint not null check (priority between 0 and 9),
  -- One of the two holds the payload; a key names an object in R2.
  payload jsonb,
  payload_key text,
  payload_bytes integer not null,
  result jsonb,
  result_key text,
  attempts integer not null default 0,
  -- Null: what the type says, or 3 and 60.
  max_attempts integer,
  backoff_seconds integer,
  run_at timestamptz not null,
  group_name text collate "C",
  unique_key text collate "C",
  -- Until when the key is taken; null: until the job ends.
  unique_until timestamptz,
  parent text collate "C",
  -- Who is told of the end: `schedule/exec_…`; null: nobody.
  origin text collate "C",
  progress jsonb,
  -- [{ attempt, at, code, message }]
  errors jsonb not null default '[]',
  -- With whose authority it runs; resolved anew when it does.
  principal_id text not null,
  principal_kind text not null check (principal_kind in ('service', 'key', 'user', 'workload')),
  principal_tenant text not null,
  request_id text not null,
  traceparent text,
  -- While it runs: who runs it, and until when that is believed.
  lease text,
  lease_until timestamptz,
  -- How often whoever ran it was never heard of again; no attempt is counted for that.
  losses integer not null default 0,
  -- When the rate of its type lets it begin; null: nobody asked yet.
  slot timestamptz,
  -- A step of it ended while it ran: it must look again.
  woken boolean not null default false,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  cancel_requested_at timestamptz
);

-- The functions that look jobs up are planned for large tables from the start (migrations/0002_running.sql); each index here is written three times for every job, so there is one only
-- for a question that is asked often.
create index jobs_by_sequence on queue.jobs (ns, sequence);
create index jobs_by_state on queue.jobs (ns, state, sequence) where state not in ('completed', 'cancelled');
create index jobs_due on queue.jobs (type, priority desc, sequence) where state = 'pending';
create index jobs_waking on queue.jobs (coalesce(lease_until, slot, run_at)) where state in ('delayed', 'failed', 'running');
create index jobs_of_group_waiting on queue.jobs (ns, group_name, sequence) where group_name is not null and finished_at is null and started_at is null;
create index jobs_of_group_begun on queue.jobs (ns, group_name) where group_name is not null and finished_at is null and started_at is not null;
create index jobs_running on queue.jobs (type) where state = 'running';
create index jobs_by_unique_key on queue.jobs (ns, type, unique_key, sequence desc) where unique_key is not null;
create index jobs_by_parent on queue.jobs (parent, sequence) where parent is not null;
create index jobs_untold on queue.jobs (finished_at) where origin is not null and finished_at is not null;
create index jobs_ended on queue.jobs (state, finished_at) where finished_at is not null;

-- How many of a group may run at once, where that is not one.
create table queue.groups (
  ns text collate "C" not null,
  name text collate "C" not null,
  concurrency integer not null check (concurrency between 1 and 100),
  primary key (ns, name)
);

-- How the jobs of a type are run, where not as all are.
create table queue.types (
  type text collate "C" primary key,
  max_attempts integer,
  backoff_seconds integer,
  rate_per_minute integer,
  concurrency integer,
  -- When the next one may begin, where there is a rate.
  next_slot timestamptz
);

-- Texts that models wrote.
create table queue.generations (
  id text collate "C" primary key,
  ns text collate "C" not null,
  prompt text not null,
  model text not null,
  text text not null,
  created_by text not null,
  created_at timestamptz not null
);

create index generations_by_age on queue.generations (ns, created_at desc, id desc);
create index generations_by_time on queue.generations (created_at);

-- What keyed calls were answered, for 24 hours.
create table queue.ledger (
  principal text not null,
  operation text not null,
  key text not null,
  input_hash text not null,
  answer jsonb not null,
  created_at timestamptz not null default now(),
  primary key (principal, operation, key)
);

create index ledger_by_age on queue.ledger (created_at);

/*
Puts jobs into the queue, in the caller's own transaction; answers [{ id, created }] in order. An element is
{ id, type, createdAt, payload?, payloadKey?, payloadBytes?, priority?, runAt?, group?, groupConcurrency?, uniqueKey?, uniqueForSeconds?, maxAttempts?, backoffSeconds?,
  ns?, parent?, origin?, principal?: { id, kind, tenant }, requestId?, traceparent?, mustCreate? }.
A job that is there already, by its id or its unique key, is answered with `created: false`; with `mustCreate` that is CONFLICT, so that whoever said beforehand what the answer will be is right.
Every service's role may call it. Who names no principal is itself the one; only queue and schedule may name another's, or a payload in R2.
Wake the queue after the commit: send { "jobs": [id, …] } to one of its lanes. What nobody wakes is found within a minute.
*/
create function queue.enqueue(asked jsonb) returns jsonb language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  -- On the embedded engine the role is only set; on a server it is who logged in.
  caller text := coalesce(nullif(current_setting('role'), 'none'), session_user);
  job jsonb;
  made_at timestamptz;
  due_at timestamptz;
  space text;
  taken text;
  answers jsonb := '[]';
begin
  if not exists (select from platform.roles where service = caller) then
    raise exception using errcode = '42501', message = 'Only services may enqueue';
  end if;
  for job in select value from jsonb_array_elements(case jsonb_typeof(asked) when 'array' then asked else jsonb_build_array(asked) end) loop
    if caller not in ('queue', 'schedule') and (job ? 'principal' or job ? 'payloadKey' or job ? 'origin' or job ? 'parent' or job ? 'ns') then
      raise exception using errcode = '42501', message = 'A service enqueues in its own name';
    end if;
    if job -> 'payload' is not null and octet_length((job -> 'payload')::text) > 131072 * 2 then
      raise exception using errcode = '22023', message = 'A payload past 128 KiB is enqueued by the operation, not by SQL';
    end if;
    made_at := (job ->> 'createdAt')::timestamptz;
    due_at := coalesce((job ->> 'runAt')::timestamptz, made_at);
    space := coalesce(job ->> 'ns', job -> 'principal' ->> 'tenant', 'default');
    if job ->> 'uniqueKey' is not null then
      perform pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), 'queue.unique', space, job ->> 'type', job ->> 'uniqueKey'), 0));
      select id into taken from queue.jobs
        where ns = space and type = job ->> 'type' and unique_key = job ->> 'uniqueKey'
          and case when unique_until is null then finished_at is null else unique_until > made_at end
        order by sequence desc limit 1;
      if found then
        if (job ->> 'mustCreate')::boolean then
          raise exception using errcode = 'DO409', message = 'Another job has the unique key', detail = 'uniqueKey';
        end if;
        answers := answers || jsonb_build_object('id', taken, 'created', false);
        continue;
      end if;
    end if;
    if job ->> 'groupConcurrency' is not null then
      insert into queue.groups (ns, name, concurrency) values (space, job ->> 'group', (job ->> 'groupConcurrency')::integer)
        on conflict (ns, name) do update set concurrency = excluded.concurrency;
    end if;
    insert into queue.jobs (id, ns, type, state, priority, payload, payload_key, payload_bytes, max_attempts, backoff_seconds, run_at, group_name, unique_key, unique_until,
        parent, origin, principal_id, principal_kind, principal_tenant, request_id, traceparent, created_at)
      values (job ->> 'id', space, job ->> 'type', case when due_at > made_at then 'delayed' else 'pending' end, coalesce((job ->> 'priority')::smallint, 5),
        case when job ? 'payloadKey' then null else coalesce(job -> 'payload', '{}') end, job ->> 'payloadKey',
        coalesce((job ->> 'payloadBytes')::integer, octet_length(coalesce(job -> 'payload', '{}')::text)), (job ->> 'maxAttempts')::integer,
        (job ->> 'backoffSeconds')::integer, due_at, job ->> 'group', job ->> 'uniqueKey', made_at + make_interval(secs => (job ->> 'uniqueForSeconds')::integer),
        job ->> 'parent', job ->> 'origin', coalesce(job -> 'principal' ->> 'id', caller), coalesce(job -> 'principal' ->> 'kind', 'service'),
        coalesce(job -> 'principal' ->> 'tenant', 'default'), coalesce(job ->> 'requestId', job ->> 'id'), job ->> 'traceparent', made_at)
      on conflict (id) do nothing;
    answers := answers || jsonb_build_object('id', job ->> 'id', 'created', found);
  end loop;
  return answers;
end $$;

grant execute on function queue.enqueue(jsonb) to public;
