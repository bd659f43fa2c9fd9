-- Custom domains. Anybody may claim a host; the claim leads nowhere until a DNS record with its token has proved whose the host is.
create table dispatcher.domains (
  host text collate "C" not null,
  tenant text collate "C" not null,
  worker text not null,
  environment text not null,
  -- What the TXT record _dotdo-verify.<host> must hold.
  token text not null,
  created_at timestamptz not null,
  verified_at timestamptz,
  primary key (host, tenant)
);

-- One host leads to one worker, however many claimed it.
create unique index domains_verified on dispatcher.domains (host) where verified_at is not null;

create index domains_by_tenant on dispatcher.domains (tenant, host);

-- What was set for a tenant: its plan, and the hosts its workers may call.
create table dispatcher.tenants (
  tenant text collate "C" primary key,
  plan text not null,
  outbound text[] not null,
  updated_at timestamptz not null
);
