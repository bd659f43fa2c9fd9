-- Who founded an organisation; null for those of a provider, and those that the platform made.
alter table auth.organisations add column founded_by text references auth.users (id);

create index organisations_by_founder on auth.organisations (founded_by);
create index organisations_by_age on auth.organisations (created_at desc, id desc);
create index members_by_age on auth.members (organisation_id, since, user_id);

-- Memberships that wait for someone to accept them. The token in the link is stored as HMAC-SHA256 under the pepper of keys.
create table auth.invites (
  id text collate "C" primary key,
  organisation_id text not null references auth.organisations (id),
  -- In lower case.
  email text not null,
  role text not null,
  token_hash text not null unique,
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by text references auth.users (id),
  revoked_at timestamptz
);

create index invites_by_age on auth.invites (organisation_id, created_at desc, id desc);
create index invites_by_email on auth.invites (email) where accepted_at is null and revoked_at is null;

-- Which jobs elsewhere get a credential, and what it may do.
create table auth.trusts (
  id text collate "C" primary key,
  tenant text not null,
  -- `owner/name` or `owner/*`, as it was written; compared in lower case.
  repository text not null,
  branch text,
  environment text,
  permissions text[] not null,
  -- GitHub's id of the repository, or of the owner where it is `owner/*`, since its first use: a name may pass to somebody else, an id never does.
  pinned_id text,
  created_at timestamptz not null,
  created_by text not null,
  last_used_at timestamptz
);

create index trusts_by_age on auth.trusts (created_at desc, id desc);
create index trusts_by_owner on auth.trusts (lower(split_part(repository, '/', 1)));

-- OIDC tokens that were exchanged, until they would have expired: none is exchanged twice.
create table auth.spent_tokens (
  id text primary key,
  expires_at timestamptz not null
);

create index spent_tokens_by_expiry on auth.spent_tokens (expires_at);

-- Holds an organisation until the transaction ends, so that whatever changes its members does so one after another. Raises DO404 where it has ended.
-- `no key`: rows that only refer to it, such as new sessions, need not wait.
create function auth.hold_organisation(organisation text) returns void language plpgsql as $$
begin
  perform from auth.organisations where id = organisation and deleted_at is null for no key update;
  if not found then
    raise exception using errcode = 'DO404', detail = 'id', message = 'This organisation is not there';
  end if;
end $$;

-- Whether somebody else than this user, who can sign in, is an admin.
create function auth.has_other_admin(organisation text, member text) returns boolean language sql stable
  return exists (
    select from auth.members m join auth.users u on u.id = m.user_id
    where m.organisation_id = organisation and m.user_id <> member and 'admin' = any (m.roles) and u.disabled_at is null);

-- Raises DO409 if this member is the last admin. Call it while the organisation is held.
create function auth.spare_last_admin(organisation text, member text) returns void language plpgsql as $$
begin
  if exists (select from auth.members where organisation_id = organisation and user_id = member and 'admin' = any (roles))
    and not auth.has_other_admin(organisation, member) then
    raise exception using errcode = 'DO409', detail = 'user', message = 'The last admin of an organisation stays: make somebody else one first';
  end if;
end $$;

-- Makes an organisation's row. Raises DO409 for a slug that was given before, or whose namespace API keys reach already, and past what one user may found.
create function auth.found_organisation(id text, slug text, name text, at timestamptz, founder text, provider text, most integer) returns void language plpgsql as $$
begin
  if most is not null then
    perform from auth.users u where u.id = founder for no key update;
    if (select count(*) from auth.organisations o where o.founded_by = founder) >= most then
      raise exception using errcode = 'DO409', detail = '', message = format('One user founds at most %s organisations', most);
    end if;
  end if;
  if exists (select from auth.keys k where k.tenant = slug) or exists (select from auth.trusts t where t.tenant = slug) then
    raise exception using errcode = 'DO409', detail = 'slug', message = format('The slug %s is taken', slug);
  end if;
  insert into auth.organisations (id, slug, name, created_at, founded_by, provider_organisation) values (id, slug, name, at, founder, provider);
exception when unique_violation then
  if exists (select from auth.organisations o where o.provider_organisation = provider) then
    raise exception using errcode = 'DO409', detail = '', message = 'Somebody else has just made this organisation: sign in again';
  end if;
  raise exception using errcode = 'DO409', detail = 'slug', message = format('The slug %s is taken', slug);
end $$;

-- Refuses the access tokens of these subjects that were issued until now.
create function auth.refuse_tokens(subjects text[], at timestamptz) returns void language sql as $$
  insert into auth.refused_tokens (subject, before) select distinct subject, at from unnest(subjects) subject order by subject
    on conflict (subject) do update set before = greatest(auth.refused_tokens.before, excluded.before)
$$;

-- Refuses the access tokens of all members who have a role.
create function auth.refuse_tokens_of_role(organisation text, role text, at timestamptz) returns void language sql as $$
  select auth.refuse_tokens(coalesce((select array_agg(user_id) from auth.members where organisation_id = organisation and role = any (roles)), '{}'), at)
$$;

-- Refuses the credentials of all trusts that may have been used together with this one: those of its tenant about the same owner.
create function auth.refuse_tokens_of_trusts(trust text, at timestamptz) returns void language sql as $$
  select auth.refuse_tokens(coalesce((select array_agg(other.id) from auth.trusts one join auth.trusts other on other.tenant = one.tenant
    and lower(split_part(other.repository, '/', 1)) = lower(split_part(one.repository, '/', 1)) where one.id = trust), '{}'), at)
$$;

-- Takes an invite for a user; raises DO409 unless it waits.
create function auth.take_invite(invite text, taker text, now timestamptz) returns void language plpgsql as $$
declare
  held auth.invites;
begin
  select * into held from auth.invites where id = invite for update;
  if held.accepted_at is not null or held.revoked_at is not null or held.expires_at <= now then
    raise exception using errcode = 'DO409', detail = 'token', message = 'This invite is no longer in force';
  end if;
  update auth.invites set accepted_at = now, accepted_by = taker where id = invite;
end $$;

-- Deletes a role of an organisation's own: who has it loses it, and invites to it end. Raises DO409 while a directory gives it.
create function auth.delete_role(organisation text, role text, at timestamptz) returns void language plpgsql as $$
begin
  if exists (select from auth.directories d where d.organisation_id = organisation
    and (d.default_role = role or exists (select from jsonb_each_text(d.group_roles) given where given.value = role))) then
    raise exception using errcode = 'DO409', detail = 'name', message = 'A directory gives this role; link it without the role first';
  end if;
  perform auth.refuse_tokens_of_role(organisation, role, at);
  update auth.members set roles = array_remove(roles, role) where organisation_id = organisation and role = any (roles);
  update auth.invites i set revoked_at = at where i.organisation_id = organisation and i.role = delete_role.role and accepted_at is null and revoked_at is null;
  delete from auth.roles r where r.organisation_id = organisation and r.name = delete_role.role;
end $$;

-- Ends an organisation that is held: memberships, sessions, invites, roles, keys, trusts, and its ties to providers and directories.
create function auth.end_organisation(organisation text, at timestamptz) returns void language plpgsql as $$
declare
  namespace text := (select slug from auth.organisations where id = organisation);
begin
  perform auth.refuse_tokens(coalesce((select array_agg(user_id) from auth.members where organisation_id = organisation), '{}'), at);
  perform auth.refuse_tokens(coalesce((select array_agg(id) from auth.trusts where tenant = namespace), '{}'), at);
  update auth.sessions set revoked_at = at where organisation_id = organisation and revoked_at is null;
  delete from auth.members where organisation_id = organisation;
  update auth.invites set revoked_at = at where organisation_id = organisation and accepted_at is null and revoked_at is null;
  delete from auth.roles where organisation_id = organisation;
  delete from auth.directories where organisation_id = organisation;
  update auth.keys set revoked_at = at where tenant = namespace and revoked_at is null;
  delete from auth.trusts where tenant = namespace;
  update auth.organisations set deleted_at = at, provider_organisation = null where id = organisation;
end $$;

-- Notes that an OIDC token was exchanged by these trusts, each with the id that its name had. Raises DO409 for a token that was exchanged before, and for a
-- name that has passed to somebody else or a trust that ended meanwhile.
create function auth.spend_token(token text, expiry timestamptz, trusts text[], pins text[], now timestamptz) returns void language plpgsql as $$
declare
  used integer;
begin
  delete from auth.spent_tokens where expires_at < now - interval '5 minutes';
  insert into auth.spent_tokens (id, expires_at) values (token, expiry);
  update auth.trusts t set last_used_at = now, pinned_id = pin from unnest(trusts, pins) as one (trust, pin)
    where t.id = one.trust and (t.pinned_id is null or t.pinned_id = one.pin);
  get diagnostics used = row_count;
  if used <> cardinality(trusts) then
    raise exception using errcode = 'DO409', detail = 'token', message = 'What trusted this job has changed meanwhile';
  end if;
exception when unique_violation then
  raise exception using errcode = 'DO409', detail = 'token', message = 'This token was exchanged already';
end $$;
