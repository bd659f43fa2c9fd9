-- Until when a workflow sleeps, from the moment it came to that step: a new start does not begin the sleep anew.
create table queue.sleeps (
  job text collate "C" not null references queue.jobs (id) on delete cascade,
  step text collate "C" not null,
  until timestamptz not null,
  primary key (job, step)
);
