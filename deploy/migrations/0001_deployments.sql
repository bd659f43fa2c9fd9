-- What a version of a worker is made of; the content itself lies in the bucket under its hash. Rows never change.
create table deploy.versions (
  tenant text collate "C" not null,
  service text collate "C" not null,
  version integer not null,
  sha256 text not null,
  size_bytes integer not null,
  main_module text,
  modules jsonb not null,
  assets jsonb not null,
  bindings jsonb not null,
  vars jsonb not null,
  compatibility_date text not null,
  compatibility_flags text[] not null,
  -- What its publisher asked for; null: what is usual in the environment.
  access text,
  metadata jsonb not null,
  created_at timestamptz not null,
  created_by text not null,
  primary key (tenant, service, version)
);

revoke update, truncate on deploy.versions from deploy;

-- One attempt each. A row that stays pending was interrupted.
create table deploy.deployments (
  id text collate "C" primary key,
  -- Who came first, where two publish to one place at once.
  sequence bigint generated always as identity unique,
  tenant text collate "C" not null,
  service text collate "C" not null,
  environment text not null,
  tier text,
  action text not null,
  status text not null,
  version integer,
  former_version integer,
  metadata jsonb not null,
  actor text not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  error text
);

create index deployments_by_tenant on deploy.deployments (tenant, created_at desc, id desc);
create index deployments_by_place on deploy.deployments (tenant, service, environment, sequence desc);

-- Scripts that lie in a dispatch namespace, and which version of each secret they were last given.
create table deploy.scripts (
  tenant text collate "C" not null,
  service text collate "C" not null,
  environment text not null,
  version integer not null,
  namespace text not null,
  script text not null,
  secrets jsonb not null,
  primary key (tenant, service, environment, version, namespace)
);

-- Secrets of published workers, sealed with AES-GCM under a key that only the Worker knows. A removed one stays as a row without a value, so that its versions count on.
create table deploy.secrets (
  tenant text collate "C" not null,
  service text collate "C" not null,
  environment text not null,
  name text collate "C" not null,
  version integer not null,
  sealed text,
  updated_at timestamptz not null,
  updated_by text not null,
  primary key (tenant, service, environment, name)
);

-- What keyed calls were answered, for 24 hours.
create table deploy.ledger (
  principal text not null,
  operation text not null,
  key text not null,
  input_hash text not null,
  answer jsonb not null,
  created_at timestamptz not null default now(),
  primary key (principal, operation, key)
);

create index ledger_by_age on deploy.ledger (created_at);
