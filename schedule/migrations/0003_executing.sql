-- How executions begin and end: each step is one function and so one transaction. Every time comes from the caller; the database's own clock is never asked.

-- A time as the wire has it.
create function schedule.iso(at timestamptz) returns text language sql stable
  return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- The log with one more line, unless it has a hundred.
create function schedule.logged(log jsonb, at timestamptz, message text) returns jsonb language sql stable
  return case when jsonb_array_length(log) < 100 then log || jsonb_build_array(jsonb_build_object('at', schedule.iso(at), 'message', message)) else log end;

-- The job of an attempt has a name that follows from the execution's, so an attempt cannot put two jobs into the queue.
create function schedule.job_of(execution_id text, attempt integer) returns text language sql immutable
  return 'job_' || substr(execution_id, 6, 25) || substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + (strpos('0123456789abcdefghjkmnpqrstvwxyz', right(execution_id, 1)) + attempt - 2) % 32, 1);

/*
An attempt is over; answers how the execution goes on: { state, dueAt }. ending is { state: completed | failed | timed-out, error?, result?, log?: [message], final? };
unless it is final, an attempt that failed is followed by another one while the task has retries left.
*/
create function schedule.end_attempt(task schedule.tasks, execution schedule.executions, ending jsonb, at timestamptz) returns jsonb language plpgsql as $$
declare
  line text;
  lines jsonb := execution.log;
  next_at timestamptz;
begin
  for line in select jsonb_array_elements_text(coalesce(ending -> 'log', '[]')) loop lines := schedule.logged(lines, at, line); end loop;
  if ending ->> 'state' = 'completed' then
    update schedule.executions set state = 'completed', finished_at = at, deadline = null, error = null, result = ending -> 'result',
        log = schedule.logged(lines, at, 'Completed') where id = execution.id;
    return jsonb_build_object('state', 'completed');
  end if;
  lines := schedule.logged(lines, at, format('Attempt %s failed: %s %s', execution.attempts, ending -> 'error' ->> 'code', ending -> 'error' ->> 'message'));
  if execution.attempts <= task.retries and task.deleted_at is null and not coalesce((ending ->> 'final')::boolean, false) then
    next_at := at + make_interval(secs => least(task.retry_after_seconds::double precision * 2 ^ (execution.attempts - 1), 86400));
    update schedule.executions set state = 'waiting', due_at = next_at, deadline = null, error = ending -> 'error',
        log = schedule.logged(lines, at, 'Tried again at ' || schedule.iso(next_at)) where id = execution.id;
    return jsonb_build_object('state', 'waiting', 'dueAt', schedule.iso(next_at));
  end if;
  update schedule.executions set state = ending ->> 'state', finished_at = at, deadline = null, error = ending -> 'error', result = ending -> 'result', log = lines
    where id = execution.id;
  return jsonb_build_object('state', ending ->> 'state');
end $$;

/*
Tells what became of an attempt; asked is an ending with { execution, job | attempt, now } besides. Answers { settled, task, waiting }: the task's clock is to be woken if something waits.
False where the attempt was over before, or is not the latest.
*/
create function schedule.settle(asked jsonb) returns jsonb language plpgsql as $$
declare
  task schedule.tasks;
  execution schedule.executions;
  at constant timestamptz := asked ->> 'now';
begin
  -- The task first, as begin_due has it: two that lock in the same order never wait for each other.
  select t.* into task from schedule.tasks t where t.id = (select e.task_id from schedule.executions e where e.id = asked ->> 'execution') for update;
  select e.* into execution from schedule.executions e where e.id = asked ->> 'execution' for update;
  if execution.state is distinct from 'running' or coalesce(execution.job_id <> asked ->> 'job', execution.attempts <> (asked ->> 'attempt')::integer, true) then
    return jsonb_build_object('settled', false);
  end if;
  if asked ->> 'state' = 'cancelled' then
    update schedule.executions set state = 'cancelled', finished_at = at, deadline = null, error = asked -> 'error', log = schedule.logged(log, at, 'Its job was cancelled')
      where id = execution.id;
  else
    perform schedule.end_attempt(task, execution, asked, at);
  end if;
  return jsonb_build_object('settled', true, 'task', task.id,
    'waiting', exists (select from schedule.executions e where e.task_id = task.id and e.finished_at is null and e.state = 'waiting'));
end $$;

/*
Whether an execution that is due may begin now, and what becomes of it otherwise: begin, wait, skip. own and backfilled say whether a time of the task's own and one of
a backfill are under way; kept says whether another one is kept already.
*/
create function schedule.turn_of(execution schedule.executions, overlap text, own boolean, backfilled boolean, kept boolean) returns text language sql immutable
  return case
    when execution.attempts > 0 or execution.trigger = 'manual' then 'begin'
    when execution.trigger = 'backfill' then case when backfilled or (own and overlap <> 'allow') then 'wait' else 'begin' end
    when overlap = 'allow' or not (own or backfilled) then 'begin'
    -- What an outage left is made up for one after another.
    when execution.trigger = 'catch-up' then 'wait'
    when overlap = 'skip' and own then 'skip'
    when kept then 'skip'
    else 'wait'
  end;

-- Begins one attempt: the job is put into the queue in the same transaction. Answers what whoever runs the attempt needs.
create function schedule.begin_attempt(task schedule.tasks, execution schedule.executions, asked jsonb) returns jsonb language plpgsql as $$
declare
  at constant timestamptz := asked ->> 'now';
  attempt constant integer := execution.attempts + 1;
  job constant text := case when asked ? 'job' and not asked ? 'refusal' then schedule.job_of(execution.id, attempt) end;
  authority constant jsonb := case when execution.principal_id is null
    then jsonb_build_object('id', task.principal_id, 'kind', task.principal_kind, 'tenant', task.principal_tenant)
    else jsonb_build_object('id', execution.principal_id, 'kind', execution.principal_kind, 'tenant', execution.principal_tenant) end;
begin
  update schedule.executions e set state = 'running', attempts = attempt, started_at = at, due_at = null, deadline = at + make_interval(secs => task.timeout_seconds), job_id = job,
      log = schedule.logged(e.log, at, concat('Attempt ', attempt, ' began', ': ' || job)) where e.id = execution.id
    returning e.* into execution;
  if asked ? 'refusal' then
    perform schedule.end_attempt(task, execution, jsonb_build_object('state', 'failed', 'error', asked -> 'refusal', 'final', true), at);
    return null;
  end if;
  if job is not null then
    perform queue.enqueue(jsonb_strip_nulls(jsonb_build_object('id', job, 'createdAt', at, 'ns', task.ns, 'principal', authority, 'origin', 'schedule/' || execution.id,
      'requestId', execution.id, 'traceparent', asked ->> 'traceparent')) || (asked -> 'job') || jsonb_build_object('payload',
        coalesce(asked -> 'job' -> 'payload', '{}') || coalesce(execution.arguments, '{}')
        || case when execution.trigger = 'backfill' and asked ? 'takesTime' then jsonb_build_object('scheduledFor', schedule.iso(execution.scheduled_for)) else '{}' end));
  end if;
  return jsonb_build_object('id', execution.id, 'attempt', attempt, 'trigger', execution.trigger, 'scheduledFor', schedule.iso(execution.scheduled_for),
    'arguments', execution.arguments, 'principal', authority, 'jobId', job);
end $$;

-- Ends attempts that took too long, and answers their executions. Their jobs are asked to end.
create function schedule.end_late(task schedule.tasks, at timestamptz) returns jsonb language plpgsql as $$
declare
  execution schedule.executions;
  ended jsonb := '[]';
begin
  for execution in select e.* from schedule.executions e where e.task_id = task.id and e.finished_at is null and e.state = 'running' and e.deadline <= at for update loop
    if execution.job_id is not null then perform queue.cancel(execution.job_id, at); end if;
    perform schedule.end_attempt(task, execution, jsonb_build_object('state', 'timed-out', 'error',
      jsonb_build_object('code', 'UNAVAILABLE', 'message', format('Not done within %s s', task.timeout_seconds))), at);
    ended := ended || jsonb_build_array(execution.id);
  end loop;
  return ended;
end $$;

/*
What a task's clock does when its alarm rings. asked: { task, version, now, times: [{ id, at, trigger, state, log }], settledUntil, nextRunAt, mine: [execution], limit,
job?: what to put into the queue, takesTime?, refusal?: why no attempt can be made, traceparent }.
Notes the times that came (each is there once, whoever asks), ends what took too long, begins what may. Answers { begun, ended, resumed, wakeAt, more }:
resumed are attempts of this kind that run nowhere, since whoever ran them is gone and `mine` has them not; wakeAt is when something changes by itself.
Where the clock goes by another version than the row: { stale: true }, and nothing was done; where there is no such task: {}.
*/
create function schedule.tick(asked jsonb) returns jsonb language plpgsql as $$
declare
  task schedule.tasks;
  execution schedule.executions;
  at constant timestamptz := asked ->> 'now';
  own boolean;
  backfilled boolean;
  kept boolean := false;
  begun jsonb := '[]';
  ended jsonb;
  one jsonb;
  turn text;
  resumed jsonb;
  steps integer := 0;
  moved boolean := false;
begin
  select t.* into task from schedule.tasks t where t.id = asked ->> 'task' for update;
  if not found then return '{}'; end if;
  if task.version <> (asked ->> 'version')::integer then return jsonb_build_object('stale', true); end if;
  ended := schedule.end_late(task, at);
  if task.enabled and task.deleted_at is null then
    insert into schedule.executions (id, task_id, ns, task_name, trigger, state, scheduled_for, due_at, finished_at, log)
      select t ->> 'id', task.id, task.ns, task.name, t ->> 'trigger', t ->> 'state', (t ->> 'at')::timestamptz, (t ->> 'dueAt')::timestamptz,
          case when t ->> 'state' = 'missed' then at end, coalesce(t -> 'log', '[]')
        from jsonb_array_elements(asked -> 'times') t where (t ->> 'at')::timestamptz > task.settled_until
      on conflict (task_id, scheduled_for) where trigger <> 'manual' do nothing;
    update schedule.tasks t set settled_until = greatest(t.settled_until, (asked ->> 'settledUntil')::timestamptz), next_run_at = (asked ->> 'nextRunAt')::timestamptz,
        armed_version = t.version where t.id = task.id;
  elsif task.armed_version is distinct from task.version then
    update schedule.tasks t set armed_version = t.version where t.id = task.id;
  end if;
  select coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'attempt', e.attempts, 'trigger', e.trigger, 'scheduledFor', schedule.iso(e.scheduled_for), 'arguments', e.arguments,
        'principal', case when e.principal_id is null then jsonb_build_object('id', task.principal_id, 'kind', task.principal_kind, 'tenant', task.principal_tenant)
          else jsonb_build_object('id', e.principal_id, 'kind', e.principal_kind, 'tenant', e.principal_tenant) end)), '[]') into resumed
    from schedule.executions e where e.task_id = task.id and e.finished_at is null and e.state = 'running' and e.job_id is null and not (asked -> 'mine') ? e.id;
  select coalesce(bool_or(e.trigger <> 'backfill'), false), coalesce(bool_or(e.trigger = 'backfill'), false) into own, backfilled
    from schedule.executions e where e.task_id = task.id and e.finished_at is null and (e.state = 'running' or e.attempts > 0);
  for execution in
    select e.* from schedule.executions e where e.task_id = task.id and e.finished_at is null and e.state = 'waiting' and e.due_at <= at
      order by e.trigger = 'backfill', e.trigger <> 'manual' and e.attempts = 0, e.scheduled_for, e.id limit (asked ->> 'limit')::integer + 1 for update
  loop
    steps := steps + 1;
    exit when steps > (asked ->> 'limit')::integer;
    turn := schedule.turn_of(execution, task.overlap, own, backfilled, kept);
    if turn = 'begin' then
      moved := true;
      one := schedule.begin_attempt(task, execution, asked);
      if one is not null then
        begun := begun || one;
        own := own or execution.trigger <> 'backfill';
        backfilled := backfilled or execution.trigger = 'backfill';
      end if;
    elsif turn = 'skip' then
      moved := true;
      update schedule.executions e set state = 'skipped', finished_at = at, due_at = null, log = schedule.logged(e.log, at, 'The one before still runs') where e.id = execution.id;
    else
      kept := kept or execution.trigger = 'schedule';
    end if;
  end loop;
  return jsonb_build_object('begun', begun, 'ended', ended, 'resumed', resumed, 'more', steps > (asked ->> 'limit')::integer and moved, 'deleted', task.deleted_at is not null,
    'settledUntil', schedule.iso(greatest(task.settled_until, (asked ->> 'settledUntil')::timestamptz)), 'unfinished', exists (
      select from schedule.executions e where e.task_id = task.id and e.finished_at is null),
    'wakeAt', (select schedule.iso(min(case when e.state = 'running' then e.deadline when e.due_at > at then e.due_at end))
      from schedule.executions e where e.task_id = task.id and e.finished_at is null));
end $$;

-- Ends an execution that waits or runs, and asks its job to end. Answers its task if there was something to end.
create function schedule.cancel(execution_id text, at timestamptz) returns text language plpgsql as $$
declare
  execution schedule.executions;
begin
  perform from schedule.tasks t where t.id = (select e.task_id from schedule.executions e where e.id = execution_id) for update;
  select e.* into execution from schedule.executions e where e.id = execution_id for update;
  if execution.id is null or execution.finished_at is not null then return null; end if;
  if execution.state = 'running' and execution.job_id is not null then perform queue.cancel(execution.job_id, at); end if;
  update schedule.executions e set state = 'cancelled', finished_at = at, due_at = null, deadline = null, log = schedule.logged(e.log, at, 'Cancelled') where e.id = execution_id;
  return execution.task_id;
end $$;

-- What a task still waits to begin is not begun: all of it, or only what its clock brought.
create function schedule.drop_waiting(dropped_task text, to_state text, reason text, at timestamptz) returns void language sql
begin atomic
  update schedule.executions e set state = to_state, finished_at = at, due_at = null, log = schedule.logged(e.log, at, reason)
    where e.task_id = dropped_task and e.finished_at is null and e.state = 'waiting' and (to_state = 'cancelled' or (e.attempts = 0 and e.trigger in ('schedule', 'catch-up')));
end;

/*
Makes executions for times of the past: [{ id, at }]. A time that was missed or skipped gets its turn after all; one that ran, or will, stays as it is.
*/
create function schedule.backfill(filled_task text, times jsonb, at timestamptz) returns void language sql
begin atomic
  insert into schedule.executions as e (id, task_id, ns, task_name, trigger, state, scheduled_for, due_at, log)
    select t ->> 'id', task.id, task.ns, task.name, 'backfill', 'waiting', (t ->> 'at')::timestamptz, at, '[]'
      from jsonb_array_elements(times) t, schedule.tasks task where task.id = filled_task
    on conflict (task_id, scheduled_for) where trigger <> 'manual' do update
      set trigger = 'backfill', state = 'waiting', due_at = excluded.due_at, finished_at = null, log = schedule.logged(e.log, excluded.due_at, 'Made up for')
      where e.state in ('missed', 'skipped');
end;
