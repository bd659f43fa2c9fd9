-- People, by the address they proved. One address is one person.
create table auth.users (
  id text collate "C" primary key,
  -- In lower case.
  email text not null unique,
  name text not null,
  created_at timestamptz not null,
  last_sign_in_at timestamptz,
  -- Since when nobody signs in as this user.
  disabled_at timestamptz
);

create index users_by_age on auth.users (created_at desc, id desc);

-- Who a provider says somebody is: its subject never changes, an address may.
create table auth.identities (
  provider text not null,
  subject text not null,
  user_id text not null references auth.users (id),
  created_at timestamptz not null,
  primary key (provider, subject)
);

create index identities_by_user on auth.identities (user_id);

-- Who work together. The slug is the namespace of their things, and stays taken when the organisation has ended.
create table auth.organisations (
  id text collate "C" primary key,
  slug text not null unique,
  name text not null,
  created_at timestamptz not null,
  deleted_at timestamptz,
  -- The organisation's id at the provider whose people sign in under it.
  provider_organisation text unique
);

insert into auth.organisations (id, slug, name, created_at) values ('org_00000000000000000000000000', 'default', 'Platform', now());

-- Roles of an organisation's own; the built-in ones are code.
create table auth.roles (
  organisation_id text not null references auth.organisations (id),
  name text not null,
  permissions text[] not null,
  created_at timestamptz not null,
  primary key (organisation_id, name)
);

create table auth.members (
  organisation_id text not null references auth.organisations (id),
  user_id text not null references auth.users (id),
  -- Names of roles, built in or the organisation's own.
  roles text[] not null,
  -- Granted beyond the roles.
  permissions text[] not null default '{}',
  -- invite, directory, founder, provider
  source text not null,
  since timestamptz not null,
  primary key (organisation_id, user_id)
);

create index members_by_user on auth.members (user_id, since);
