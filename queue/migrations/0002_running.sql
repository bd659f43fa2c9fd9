/*
How jobs are taken, settled and woken. All times come from whoever asks.

Every function is planned as if the tables were large: the embedded engine has no statistics, and a plan made while a table was empty is kept for as long as a session lives.
Locks are taken in one order: groups, then types, then jobs; who finds a job locked leaves it to whoever holds it.
*/

-- Whoever ends, begins or looks for jobs of a group or of a type with limits does so alone: a job that ends and one that asks whether it may begin must not miss each other.
create function queue.lock_neighbours(touched text[]) returns void language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  perform pg_advisory_xact_lock(keys.key) from (
    select distinct hashtextextended(concat_ws(chr(31), 'queue.group', ns, group_name), 0) as key from queue.jobs where id = any (touched) and group_name is not null order by 1
  ) keys;
  if exists (select from queue.types where rate_per_minute is not null or concurrency is not null) then
    perform from queue.types where type in (select j.type from queue.jobs j where j.id = any (touched)) and (rate_per_minute is not null or concurrency is not null) order by type for update;
  end if;
end $$;

-- Wakes the workflows that these steps belong to, and tells which other jobs may begin now that these ended: [{ id, priority }].
create function queue.follow(ended text[], at timestamptz) returns jsonb language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  answers jsonb := '[]';
  place record;
  more jsonb;
begin
  with woken as (
    update queue.jobs set woken = true, state = case state when 'delayed' then 'pending' else state end, run_at = case state when 'delayed' then at else run_at end
      where id in (select parent from queue.jobs where id = any (ended) and parent is not null) and finished_at is null
      returning id, priority, state
  ) select coalesce(jsonb_agg(jsonb_build_object('id', id, 'priority', priority)), '[]') into answers from woken where state = 'pending';

  for place in
    select g.ns, g.group_name, coalesce(l.concurrency, 1) - (select count(*) from queue.jobs b where b.ns = g.ns and b.group_name = g.group_name and b.finished_at is null and b.started_at is not null) as free
      from (select distinct ns, group_name from queue.jobs where id = any (ended) and group_name is not null) g
      left join queue.groups l on l.ns = g.ns and l.name = g.group_name
  loop
    select jsonb_agg(jsonb_build_object('id', n.id, 'priority', n.priority)) into more from (
      select id, priority from queue.jobs
        where ns = place.ns and group_name = place.group_name and finished_at is null and started_at is null and run_at <= at
        order by sequence limit greatest(place.free, 0)
    ) n;
    answers := answers || coalesce(more, '[]');
  end loop;

  for place in
    select t.type, t.concurrency - (select count(*) from queue.jobs r where r.type = t.type and r.state = 'running') as free
      from queue.types t where t.concurrency is not null and t.type in (select type from queue.jobs where id = any (ended))
  loop
    select jsonb_agg(jsonb_build_object('id', n.id, 'priority', n.priority)) into more from (
      select id, priority from queue.jobs where type = place.type and state = 'pending' order by priority desc, sequence limit greatest(place.free, 0)
    ) n;
    answers := answers || coalesce(more, '[]');
  end loop;
  return answers;
end $$;

-- Whether a job of a group must wait: for those before it that are due or have begun, and for others that run.
create function queue.is_held(asker queue.jobs, at timestamptz) returns boolean language plpgsql stable
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  room integer := coalesce((select concurrency from queue.groups where ns = asker.ns and name = asker.group_name), 1);
begin
  -- It has its place already.
  if asker.started_at is not null then return false; end if;
  room := room - (select count(*) from queue.jobs where ns = asker.ns and group_name = asker.group_name and finished_at is null and started_at is not null);
  -- Those that only wait for a time of their own let others pass.
  return room <= 0 or room <= (select count(*) from (
    select from queue.jobs where ns = asker.ns and group_name = asker.group_name and finished_at is null and started_at is null and sequence < asker.sequence and run_at <= at
      order by sequence limit room
  ) earlier);
end $$;

/*
Takes those of the jobs asked for that may begin, for `runner` until `until`: { claimed: [job with max_attempts and backoff_seconds as they are meant], wake_at }.
`wake_at` is when the first of those may begin that the rate of their type holds back; null where there are none.
*/
create function queue.claim(asked text[], runner text, at timestamptz, until timestamptz) returns jsonb language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  job queue.jobs;
  type_limits queue.types;
  is_limited boolean := exists (select from queue.types where rate_per_minute is not null or concurrency is not null);
  granted text[] := '{}';
  begun jsonb := '{}';
  claimed jsonb;
  wake_at timestamptz;
begin
  for job in
    select * from queue.jobs where id = any (asked) and (state = 'pending' or state in ('delayed', 'failed') and coalesce(slot, run_at) <= at)
      order by priority desc, sequence for update skip locked
  loop
    if job.group_name is not null and queue.is_held(job, at) then continue; end if;
    type_limits := null;
    if is_limited then
      select * into type_limits from queue.types where type = job.type and (rate_per_minute is not null or concurrency is not null);
    end if;
    if type_limits.type is not null then
      if type_limits.concurrency <= coalesce((begun ->> job.type)::integer, 0) + (select count(*) from queue.jobs where type = job.type and state = 'running') then continue; end if;
      if type_limits.rate_per_minute is not null then
        -- A slot that was slept through is given back: who comes late waits for another, or many would begin at once.
        if job.slot is null or job.slot < at - interval '5 seconds' then
          job.slot := greatest(type_limits.next_slot, at);
          update queue.types set next_slot = job.slot + make_interval(secs => 60.0 / rate_per_minute) where type = job.type;
        end if;
        if job.slot > at then
          update queue.jobs set slot = job.slot, state = 'delayed' where id = job.id;
          wake_at := least(wake_at, job.slot);
          continue;
        end if;
      end if;
      begun := begun || jsonb_build_object(job.type, coalesce((begun ->> job.type)::integer, 0) + 1);
    end if;
    granted := granted || job.id;
  end loop;

  with taken as (
    update queue.jobs set state = 'running', attempts = attempts + 1, lease = runner, lease_until = until, started_at = at, slot = null, woken = false
      where id = any (granted) returning *
  ) select jsonb_agg(to_jsonb(taken) || jsonb_build_object(
        'max_attempts', coalesce(taken.max_attempts, t.max_attempts, 3), 'backoff_seconds', coalesce(taken.backoff_seconds, t.backoff_seconds, 60)
      ) order by taken.priority desc, taken.sequence) into claimed
    from taken left join queue.types t on t.type = taken.type;
  return jsonb_build_object('claimed', coalesce(claimed, '[]'), 'wake_at', wake_at);
end $$;

/*
One turn of a runner: what became of jobs it had, and which it would have next; { claimed, wake_at, settled: [id], next: [{ id, priority }] }.
An element of `outcomes` is { id, state, result?, result_key?, error?, run_at? }; state `delayed` gives a job back that has begun and waits. Who lost the lease is not listened to.
*/
create function queue.turn(outcomes jsonb, asked text[], runner text, at timestamptz, until timestamptz) returns jsonb language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  touched text[] := asked || array(select value ->> 'id' from jsonb_array_elements(outcomes));
  settled text[];
  ended text[];
  again jsonb;
  next jsonb := '[]';
  cancelled text;
begin
  perform queue.lock_neighbours(touched);
  if jsonb_array_length(outcomes) > 0 then
    with done as (
      update queue.jobs j set
          -- What it waited for may have come while it was on its way.
          state = case when o.state = 'delayed' and (j.woken or j.cancel_requested_at is not null) then 'pending' else o.state end,
          run_at = case when o.state = 'delayed' and (j.woken or j.cancel_requested_at is not null) then at else coalesce(o.run_at, j.run_at) end,
          attempts = j.attempts - case o.state when 'delayed' then 1 else 0 end,
          losses = 0,
          result = o.result,
          result_key = o.result_key,
          errors = case when o.error is null then j.errors when jsonb_array_length(j.errors) < 50 then j.errors || o.error else (j.errors - 0) || o.error end,
          finished_at = case when o.state in ('completed', 'cancelled', 'dead') then at end,
          lease = null, lease_until = null
        from jsonb_to_recordset(outcomes) as o(id text, state text, result jsonb, result_key text, error jsonb, run_at timestamptz)
        where j.id = o.id and j.lease = runner and j.state = 'running'
        returning j.id, j.state, j.finished_at, j.priority
    ) select array_agg(id), array_agg(id) filter (where finished_at is not null), coalesce(jsonb_agg(jsonb_build_object('id', id, 'priority', priority)) filter (where state = 'pending'), '[]')
      into settled, ended, again from done;
    for cancelled in select id from queue.jobs where id = any (ended) and state = 'cancelled' loop
      perform queue.cancel(child.id, at) from queue.jobs child where child.parent = cancelled and child.finished_at is null;
    end loop;
    next := again || queue.follow(ended, at);
  end if;
  return queue.claim(asked, runner, at, until) || jsonb_build_object('settled', to_jsonb(coalesce(settled, '{}')), 'next', next);
end $$;

-- Says that a runner is still there; answers { lost: [id], cancelled: [id] }, the jobs that are no longer its own and those that somebody wants to end.
create function queue.beat(held text[], runner text, until timestamptz) returns jsonb language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  kept text[];
  cancelled text[];
begin
  with beaten as (
    update queue.jobs set lease_until = until where id = any (held) and lease = runner and state = 'running' returning id, cancel_requested_at
  ) select coalesce(array_agg(id), '{}'), coalesce(array_agg(id) filter (where cancel_requested_at is not null), '{}') into kept, cancelled from beaten;
  return jsonb_build_object('lost', to_jsonb(array(select unnest(held) except select unnest(kept))), 'cancelled', to_jsonb(cancelled));
end $$;

-- Makes jobs due whose time has come, and those whose runner was never heard of again: { woken: [{ id, priority }], wake_at }, where `wake_at` is when the next time comes.
create function queue.wake(at timestamptz, most integer) returns jsonb language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  woken jsonb;
begin
  with due as (
    select id from queue.jobs where state in ('delayed', 'failed', 'running') and coalesce(lease_until, slot, run_at) <= at
      order by coalesce(lease_until, slot, run_at) limit most for update skip locked
  ), roused as (
    update queue.jobs j set state = 'pending', losses = j.losses + case j.state when 'running' then 1 else 0 end, attempts = j.attempts - case j.state when 'running' then 1 else 0 end,
        lease = null, lease_until = null
      from due where j.id = due.id returning j.id, j.priority
  ) select coalesce(jsonb_agg(jsonb_build_object('id', id, 'priority', priority)), '[]') into woken from roused;
  -- Nobody has a lease for so long: the clock was set back.
  update queue.jobs set lease_until = at where state = 'running' and lease_until > at + interval '10 minutes';
  return jsonb_build_object('woken', woken, 'wake_at', (
    select coalesce(lease_until, slot, run_at) from queue.jobs where state in ('delayed', 'failed', 'running') order by coalesce(lease_until, slot, run_at) limit 1));
end $$;

-- Cancels a job that waits, and asks one that runs to end; the steps of a workflow with it. Answers what state it is in now, null where there is none: { state, next: [{ id, priority }] }.
-- schedule may cancel what it enqueued, in a transaction of its own, and is not told of the end then.
create function queue.cancel(job_id text, at timestamptz) returns jsonb language plpgsql security definer
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  caller text := coalesce(nullif(current_setting('role'), 'none'), session_user);
  job queue.jobs;
  child text;
  next jsonb := '[]';
begin
  select * into job from queue.jobs where id = job_id;
  if not found or caller <> 'queue' and not (caller = 'schedule' and coalesce(job.origin, '') like 'schedule/%') then return null; end if;
  perform queue.lock_neighbours(array[job_id]);
  select * into job from queue.jobs where id = job_id for update;
  if job.finished_at is null then
    update queue.jobs set cancel_requested_at = coalesce(cancel_requested_at, at), origin = case caller when 'schedule' then null else origin end,
        state = case state when 'running' then state else 'cancelled' end, finished_at = case state when 'running' then null else at end
      where id = job_id returning * into job;
    for child in select id from queue.jobs where parent = job_id and finished_at is null loop
      perform queue.cancel(child, at);
    end loop;
    if job.finished_at is not null then next := queue.follow(array[job_id], at); end if;
  end if;
  return jsonb_build_object('state', job.state, 'next', next);
end $$;

grant execute on function queue.cancel(text, timestamptz) to public;

-- Jobs that have been due for a while, and that no other of their group keeps from beginning: [{ id, priority }]. Somebody should have looked at them.
create function queue.forgotten(at timestamptz, most integer) returns jsonb language sql stable
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', id, 'priority', priority)), '[]') from (
    select id, priority from queue.jobs j
      where state = 'pending' and greatest(run_at, created_at) <= at - interval '10 seconds'
        and (group_name is null or not exists (
          select from queue.jobs b where b.ns = j.ns and b.group_name = j.group_name and b.finished_at is null and b.started_at is null and b.sequence < j.sequence and b.run_at <= at
        ) or started_at is not null)
      order by priority desc, sequence limit most
  ) found
$$;

-- Which of the jobs that somebody is about to enqueue are there already, by their ids or unique keys: [{ index, job }]. An element is { index, id, ns, type, createdAt, uniqueKey }.
create function queue.known(asked jsonb) returns jsonb language sql stable
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
  select coalesce(jsonb_agg(jsonb_build_object('index', a.index, 'job', to_jsonb(j) - 'payload' - 'result')), '[]')
    from jsonb_to_recordset(asked) as a(index integer, id text, ns text, type text, "createdAt" timestamptz, "uniqueKey" text),
    lateral (
      select * from queue.jobs u where u.id = a.id
      union all
      (select * from queue.jobs u where u.ns = a.ns and u.type = a.type and u.unique_key = a."uniqueKey"
        and case when u.unique_until is null then u.finished_at is null else u.unique_until > a."createdAt" end
        order by u.sequence desc limit 1)
      limit 1
    ) j
$$;

/*
Runs jobs again: those that are dead, cancelled or failed with all their attempts, now; to one that waits only what is changed is given. { again: [id], next: [{ id, priority }] }.
An element of `changes` is { id, priority? } and, for another payload, { payload? or payload_key?, payload_bytes, principal_id, principal_kind, principal_tenant }. What ran or is completed stays as it is.
*/
create function queue.again(changes jsonb, at timestamptz) returns jsonb language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  again text[];
  next jsonb;
begin
  perform queue.lock_neighbours(array(select value ->> 'id' from jsonb_array_elements(changes)));
  with revived as (
    update queue.jobs j set
        priority = coalesce(c.priority, j.priority),
        payload = case when c.payload_bytes is null then j.payload else c.payload end,
        payload_key = case when c.payload_bytes is null then j.payload_key else c.payload_key end,
        payload_bytes = coalesce(c.payload_bytes, j.payload_bytes),
        principal_id = coalesce(c.principal_id, j.principal_id),
        principal_kind = coalesce(c.principal_kind, j.principal_kind),
        principal_tenant = coalesce(c.principal_tenant, j.principal_tenant),
        state = case when j.state in ('dead', 'cancelled', 'failed') then 'pending' else j.state end,
        run_at = case when j.state in ('dead', 'cancelled', 'failed') then at else j.run_at end,
        attempts = case when j.state in ('dead', 'cancelled', 'failed') then 0 else j.attempts end,
        losses = 0,
        started_at = case when j.state in ('dead', 'cancelled') then null else j.started_at end,
        cancel_requested_at = null, finished_at = null, result = null, result_key = null, slot = null
      from jsonb_to_recordset(changes) as c(id text, priority smallint, payload jsonb, payload_key text, payload_bytes integer, principal_id text, principal_kind text, principal_tenant text)
      where j.id = c.id and j.state in ('dead', 'cancelled', 'failed', 'pending', 'delayed') and (j.state <> 'delayed' or j.started_at is null)
      returning j.id, j.priority, j.state
  ) select coalesce(array_agg(id), '{}'), coalesce(jsonb_agg(jsonb_build_object('id', id, 'priority', priority)) filter (where state = 'pending'), '[]') into again, next from revived;
  return jsonb_build_object('again', to_jsonb(again), 'next', next);
end $$;

-- Runs dead jobs again, the oldest first: what `queue.again` answers, and how many that fit are still dead. `wanted` is { ns, ids?, type?, group?, errorCode?, diedAfter?, diedBefore? }.
create function queue.redrive(wanted jsonb, most integer, at timestamptz) returns jsonb language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  found_ones jsonb;
  dead integer;
begin
  select jsonb_agg(jsonb_build_object('id', f.id) order by f.sequence) filter (where f.place <= most), count(*) into found_ones, dead from (
    select id, sequence, row_number() over (order by sequence) as place from queue.jobs
      where ns = wanted ->> 'ns' and state = 'dead'
        and (wanted ->> 'ids' is null or id in (select jsonb_array_elements_text(wanted -> 'ids')))
        and (wanted ->> 'type' is null or type = wanted ->> 'type')
        and (wanted ->> 'group' is null or group_name = wanted ->> 'group')
        and (wanted ->> 'errorCode' is null or errors -> -1 ->> 'code' = wanted ->> 'errorCode')
        and (wanted ->> 'diedAfter' is null or finished_at > (wanted ->> 'diedAfter')::timestamptz)
        and (wanted ->> 'diedBefore' is null or finished_at < (wanted ->> 'diedBefore')::timestamptz)
  ) f;
  return queue.again(coalesce(found_ones, '[]'), at) || jsonb_build_object('remaining', greatest(0, dead - most));
end $$;

-- Settles how the jobs of a type are run; what is not named stays. What its rate or its concurrency held back may begin by the new ones: [{ id, priority }].
create function queue.settle_type(settled text, changes jsonb, at timestamptz) returns jsonb language plpgsql
  set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  free jsonb;
begin
  insert into queue.types (type) values (settled) on conflict do nothing;
  update queue.types set
      max_attempts = case when changes ? 'maxAttempts' then (changes ->> 'maxAttempts')::integer else max_attempts end,
      backoff_seconds = case when changes ? 'backoffSeconds' then (changes ->> 'backoffSeconds')::integer else backoff_seconds end,
      rate_per_minute = case when changes ? 'ratePerMinute' then (changes ->> 'ratePerMinute')::integer else rate_per_minute end,
      concurrency = case when changes ? 'concurrency' then (changes ->> 'concurrency')::integer else concurrency end,
      next_slot = null
    where type = settled;
  update queue.jobs set slot = null, state = 'pending' where type = settled and state = 'delayed' and slot is not null;
  select coalesce(jsonb_agg(jsonb_build_object('id', id, 'priority', priority)), '[]') into free from (
    select id, priority from queue.jobs where type = settled and state = 'pending' order by priority desc, sequence limit 10000
  ) waiting;
  return free;
end $$;
