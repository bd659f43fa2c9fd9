-- Hosts of one's own that lead to a service of the platform. Those that lead to published workers are the dispatcher's.
create table gateway.domains (
  host text collate "C" primary key,
  service text not null,
  created_at timestamptz not null,
  created_by text not null
);

-- Who asked to be told when there is something. An address waits once, wherever it was given first.
create table gateway.waitlist (
  -- In lower case.
  email text collate "C" primary key,
  host text not null,
  created_at timestamptz not null
);

create index waitlist_by_time on gateway.waitlist (created_at, email);
