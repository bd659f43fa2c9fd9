-- What is to be done, and when. Each task has a Durable Object of its own, whose alarm is its clock; the row is the truth about what it is.
create table schedule.tasks (
  id text collate "C" primary key,
  ns text collate "C" not null,
  name text collate "C" not null,
  description text not null,
  timing jsonb not null,
  target jsonb not null,
  overlap text not null check (overlap in ('skip', 'buffer', 'allow')),
  catch_up_seconds integer not null,
  jitter_seconds integer not null,
  retries integer not null,
  retry_after_seconds integer not null,
  timeout_seconds integer not null,
  alert_after_seconds integer,
  enabled boolean not null,
  note text,
  built_in boolean not null default false,
  -- With whose authority it runs; resolved anew when it does.
  principal_id text not null,
  principal_kind text not null check (principal_kind in ('service', 'key', 'user', 'workload')),
  principal_tenant text not null,
  version integer not null,
  -- The version that the object's alarm goes by; null: none was ever set.
  armed_version integer,
  next_run_at timestamptz,
  -- Times up to this have an execution, or were left out on purpose.
  settled_until timestamptz not null,
  created_by text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);

create unique index tasks_by_name on schedule.tasks (ns, name) where deleted_at is null;
create index tasks_by_next_run on schedule.tasks (next_run_at) where enabled and deleted_at is null;
create index tasks_unarmed on schedule.tasks (id) where armed_version is distinct from version;

-- What became of each time. One that the clock brought is there once: two schedulers cannot both begin it.
create table schedule.executions (
  id text collate "C" primary key,
  task_id text collate "C" not null,
  ns text collate "C" not null,
  task_name text not null,
  trigger text not null check (trigger in ('schedule', 'catch-up', 'manual', 'backfill')),
  state text not null check (state in ('waiting', 'running', 'completed', 'failed', 'timed-out', 'skipped', 'missed', 'cancelled')),
  scheduled_for timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  attempts integer not null default 0,
  -- While it waits: not before this. While it runs: until when the attempt may.
  due_at timestamptz,
  deadline timestamptz,
  -- What runNow put over the task's own, and who did: it has their authority then, and otherwise the task's.
  arguments jsonb,
  principal_id text,
  principal_kind text,
  principal_tenant text,
  job_id text collate "C",
  error jsonb,
  result jsonb,
  -- [{ at, message }]
  log jsonb not null default '[]'
);

create unique index executions_once on schedule.executions (task_id, scheduled_for) where trigger <> 'manual';
create index executions_of_task on schedule.executions (task_id, scheduled_for desc, id desc);
create index executions_by_time on schedule.executions (ns, scheduled_for desc, id desc);
create index executions_unfinished on schedule.executions (task_id) where finished_at is null;
create index executions_by_job on schedule.executions (job_id) where job_id is not null;

-- What people should look at, until it is over.
create table schedule.alerts (
  id text collate "C" primary key,
  ns text collate "C" not null,
  kind text not null check (kind in ('task-missed', 'service-unhealthy', 'rate-limited')),
  subject text collate "C" not null,
  message text not null,
  opened_at timestamptz not null,
  seen_at timestamptz not null,
  closed_at timestamptz
);

create unique index alerts_open on schedule.alerts (ns, kind, subject) where closed_at is null;
create index alerts_by_time on schedule.alerts (ns, opened_at desc, id desc);

-- What keyed calls were answered, for 24 hours.
create table schedule.ledger (
  principal text not null,
  operation text not null,
  key text not null,
  input_hash text not null,
  answer jsonb not null,
  created_at timestamptz not null default now(),
  primary key (principal, operation, key)
);

create index ledger_by_age on schedule.ledger (created_at);
