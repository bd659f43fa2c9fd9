-- Directories that keep the members of an organisation. What they say of people and groups is kept also while no organisation is linked.
create table auth.directories (
  -- The provider's id of the directory.
  directory text primary key,
  organisation_id text not null unique references auth.organisations (id),
  -- Roles by the name of a group.
  group_roles jsonb not null,
  default_role text not null,
  -- Since when the provider keeps it no more.
  ended_at timestamptz,
  -- The event that said so, or the contrary.
  said_at timestamptz not null default '-infinity',
  said_by text not null default ''
);

-- People and groups by the provider's id. The newest event of each wins: `said_at` is its time, `said_by` its id, which decides between events of one moment.
create table auth.directory_users (
  directory text not null,
  id text not null,
  -- In lower case; null where the directory has none.
  email text,
  name text not null,
  is_active boolean not null,
  -- Who it is here, once known: it stays when the directory changes the address of somebody who has signed in.
  user_id text references auth.users (id),
  said_at timestamptz not null,
  said_by text not null,
  primary key (directory, id)
);

create index directory_users_by_user on auth.directory_users (user_id);

create table auth.directory_groups (
  directory text not null,
  id text not null,
  name text not null,
  is_deleted boolean not null,
  said_at timestamptz not null,
  said_by text not null,
  primary key (directory, id)
);

create table auth.directory_memberships (
  directory text not null,
  group_id text not null,
  user_id text not null,
  is_member boolean not null,
  said_at timestamptz not null,
  said_by text not null,
  primary key (directory, group_id, user_id)
);

create index directory_memberships_by_user on auth.directory_memberships (directory, user_id);

-- An id as everything here has them: the prefix and 26 characters of Crockford's base 32.
create function auth.new_id(prefix text) returns text language sql volatile as $$
  select prefix || '_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + (get_byte(bytes, place) & 31), 1), '' order by place)
  from (select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) as bytes) random, generate_series(0, 25) place
$$;

-- By whose authority and within which request a directory is applied, for the audit log.
create type auth.asked as (actor text, request text, at timestamptz);

create function auth.audit_directory(asked auth.asked, member text, tenant text, detail jsonb) returns void language sql as $$
  select auth.append_audit(auth.new_id('audit'), asked.at, asked.actor, 'auth.applyDirectoryEvent', member, tenant, detail || jsonb_build_object('requestId', asked.request))
$$;

-- Ends what a directory no longer says of a member. The platform's own organisation keeps its last admin.
create function auth.end_directory_member(dir auth.directories, member text, asked auth.asked) returns text language plpgsql as $$
declare
  known auth.members;
  tenant text := (select slug from auth.organisations where id = dir.organisation_id);
begin
  select * into known from auth.members where organisation_id = dir.organisation_id and user_id = member;
  if not found or (dir.ended_at is not null and known.source <> 'directory') then return 'No membership follows from it'; end if;
  if tenant = 'default' and 'admin' = any (known.roles) and not auth.has_other_admin(dir.organisation_id, member) then
    return 'The last admin of the platform stays';
  end if;
  delete from auth.members where organisation_id = dir.organisation_id and user_id = member;
  perform auth.refuse_tokens(array[member], asked.at);
  update auth.sessions set revoked_at = asked.at where user_id = member and organisation_id = dir.organisation_id and revoked_at is null;
  perform auth.audit_directory(asked, member, tenant, jsonb_build_object('directory', dir.directory, 'before', known.roles, 'ended', true));
  return 'The membership has ended';
end $$;

-- The roles that the groups of a user give; those of all the people in the directory who are this user.
create function auth.directory_roles(dir auth.directories, member text) returns text[] language sql stable as $$
  select coalesce(array_agg(distinct dir.group_roles ->> g.name) filter (where dir.group_roles ? g.name), array[dir.default_role])
  from auth.directory_users u
  join auth.directory_memberships m on m.directory = u.directory and m.user_id = u.id and m.is_member
  join auth.directory_groups g on g.directory = m.directory and g.id = m.group_id and not g.is_deleted
  where u.directory = dir.directory and u.user_id = member and u.is_active
$$;

-- Brings one user's membership to what the directory says.
create function auth.sync_directory_member(dir auth.directories, member text, asked auth.asked) returns text language plpgsql as $$
declare
  known auth.members;
  given text[];
  tenant text;
begin
  if dir.ended_at is not null or not exists (select from auth.directory_users where directory = dir.directory and user_id = member and is_active) then
    return auth.end_directory_member(dir, member, asked);
  end if;
  given := auth.directory_roles(dir, member);
  tenant := (select slug from auth.organisations where id = dir.organisation_id);
  select * into known from auth.members where organisation_id = dir.organisation_id and user_id = member;
  if tenant = 'default' and 'admin' = any (known.roles) and not 'admin' = any (given) and not auth.has_other_admin(dir.organisation_id, member) then
    given := given || array['admin'];
  end if;
  if known.source = 'directory' and known.roles <@ given and given <@ known.roles then return 'Nothing follows from it'; end if;
  insert into auth.members (organisation_id, user_id, roles, source, since) values (dir.organisation_id, member, given, 'directory', asked.at)
    on conflict (organisation_id, user_id) do update set roles = excluded.roles, source = excluded.source;
  if not coalesce(known.roles <@ given, true) then perform auth.refuse_tokens(array[member], asked.at); end if;
  perform auth.audit_directory(asked, member, tenant, jsonb_build_object('directory', dir.directory, 'before', known.roles, 'roles', given));
  return 'The membership follows the directory';
end $$;

-- Brings the membership of one of a directory's people to what it says, and finds or makes the user: by the address, and from then on by the directory's id.
-- A user who has never signed in is left where the address changes, since nobody is behind that user yet.
create function auth.sync_directory_user(dir auth.directories, person_id text, asked auth.asked) returns text language plpgsql as $$
declare
  person auth.directory_users;
  former text;
begin
  select * into person from auth.directory_users where directory = dir.directory and id = person_id;
  if not found then return 'The directory has not named this person yet'; end if;
  if person.user_id is null or exists (
    select from auth.users where id = person.user_id and last_sign_in_at is null and person.email is not null and email <> person.email) then
    former := person.user_id;
    if person.is_active and person.email is not null and dir.ended_at is null then
      insert into auth.users (id, email, name, created_at) values (auth.new_id('user'), person.email, person.name, asked.at) on conflict (email) do nothing;
    end if;
    select id into person.user_id from auth.users where email = person.email;
    update auth.directory_users set user_id = person.user_id where directory = dir.directory and id = person_id;
    if former is not null then perform auth.sync_directory_member(dir, former, asked); end if;
  end if;
  if person.user_id is null then return 'The directory gives no address, or nobody has it'; end if;
  update auth.users set name = person.name where id = person.user_id and last_sign_in_at is null and name <> person.name;
  return auth.sync_directory_member(dir, person.user_id, asked);
end $$;

-- Brings all members to what their directory says.
create function auth.sync_directory(dir auth.directories, asked auth.asked) returns void language plpgsql as $$
declare
  person text;
begin
  for person in select id from auth.directory_users where directory = dir.directory order by id loop
    perform auth.sync_directory_user(dir, person, asked);
  end loop;
end $$;

-- Links a directory, and applies what it has said so far. Raises DO409 where either side is linked already.
create function auth.link_directory(linked auth.directories, provider text, asked auth.asked) returns void language plpgsql as $$
declare
  dir auth.directories;
begin
  perform pg_advisory_xact_lock(hashtext('auth.directory ' || linked.directory));
  perform auth.hold_organisation(linked.organisation_id);
  delete from auth.directories where organisation_id = linked.organisation_id and directory <> linked.directory and ended_at is not null;
  if exists (select from auth.directories d where (d.directory = linked.directory) <> (d.organisation_id = linked.organisation_id)) then
    raise exception using errcode = 'DO409', detail = 'directory', message = 'This directory, or this organisation, is linked to another';
  end if;
  if provider is not null then update auth.organisations set provider_organisation = provider where id = linked.organisation_id; end if;
  insert into auth.directories (directory, organisation_id, group_roles, default_role)
    values (linked.directory, linked.organisation_id, linked.group_roles, linked.default_role)
    on conflict (directory) do update set group_roles = excluded.group_roles, default_role = excluded.default_role, ended_at = null returning * into dir;
  perform auth.sync_directory(dir, asked);
exception when unique_violation then
  raise exception using errcode = 'DO409', detail = 'providerOrganisation', message = 'Another organisation is bound to this one of the provider';
end $$;

-- What an event says, put in order: a person, a group, a membership of a group, or the end of the directory; absent parts are null.
create type auth.directory_event as (directory text, id text, at timestamptz, person jsonb, person_group jsonb, is_member boolean, is_ended boolean);

-- Keeps what an event says of a person; false where something newer is known. What an event says by the way (`-infinity`) gives way to everything.
create function auth.note_person(said auth.directory_event, at timestamptz) returns boolean language plpgsql as $$
begin
  insert into auth.directory_users as known (directory, id, email, name, is_active, said_at, said_by)
    values (said.directory, said.person ->> 'id', said.person ->> 'email', said.person ->> 'name', (said.person ->> 'isActive')::boolean, at, said.id)
    on conflict (directory, id) do update set email = coalesce(excluded.email, known.email), name = excluded.name, is_active = excluded.is_active,
      said_at = excluded.said_at, said_by = excluded.said_by
    where (known.said_at, known.said_by) < (excluded.said_at, excluded.said_by) and excluded.said_at > '-infinity';
  return found;
end $$;

-- The same of a group.
create function auth.note_group(said auth.directory_event, at timestamptz) returns boolean language plpgsql as $$
begin
  insert into auth.directory_groups as known (directory, id, name, is_deleted, said_at, said_by)
    values (said.directory, said.person_group ->> 'id', said.person_group ->> 'name', (said.person_group ->> 'isDeleted')::boolean, at, said.id)
    on conflict (directory, id) do update set name = excluded.name, is_deleted = excluded.is_deleted, said_at = excluded.said_at, said_by = excluded.said_by
    where (known.said_at, known.said_by) < (excluded.said_at, excluded.said_by) and excluded.said_at > '-infinity';
  return found;
end $$;

-- The same of who is in a group; people and groups that are new by it are noted by the way.
create function auth.note_membership(said auth.directory_event) returns boolean language plpgsql as $$
begin
  perform auth.note_person(said, '-infinity'), auth.note_group(said, '-infinity');
  insert into auth.directory_memberships as known (directory, group_id, user_id, is_member, said_at, said_by)
    values (said.directory, said.person_group ->> 'id', said.person ->> 'id', said.is_member, said.at, said.id)
    on conflict (directory, group_id, user_id) do update set is_member = excluded.is_member, said_at = excluded.said_at, said_by = excluded.said_by
    where (known.said_at, known.said_by) < (excluded.said_at, excluded.said_by);
  return found;
end $$;

-- The same of the directory itself.
create function auth.note_ending(said auth.directory_event) returns boolean language plpgsql as $$
begin
  update auth.directories set ended_at = case when said.is_ended then said.at end, said_at = said.at, said_by = said.id
    where directory = said.directory and (said_at, said_by) < (said.at, said.id);
  return found;
end $$;

-- Applies an event: keeps what it says unless something newer is known of the same object, and brings the members it is about to what is known then.
create function auth.apply_directory_event(said auth.directory_event, asked auth.asked, out applied boolean, out reason text) language plpgsql as $$
declare
  dir auth.directories;
  person text;
begin
  perform pg_advisory_xact_lock(hashtext('auth.directory ' || said.directory));
  applied := case
    when said.is_ended is not null then auth.note_ending(said)
    when said.is_member is not null then auth.note_membership(said)
    when said.person is not null then auth.note_person(said, said.at)
    else auth.note_group(said, said.at) end;
  select * into dir from auth.directories where directory = said.directory;
  if dir.directory is null then
    applied := false;
    reason := 'No organisation is linked to the directory; it is applied when one is';
  elsif not applied then
    reason := 'Something newer is known, or the same';
  else
    perform auth.hold_organisation(dir.organisation_id);
    if said.is_ended is not null then perform auth.sync_directory(dir, asked);
    elsif said.person is not null then reason := auth.sync_directory_user(dir, said.person ->> 'id', asked);
    else
      for person in select user_id from auth.directory_memberships where directory = dir.directory and group_id = said.person_group ->> 'id' order by 1 loop
        perform auth.sync_directory_user(dir, person, asked);
      end loop;
    end if;
    reason := coalesce(reason, 'Its members follow the directory');
  end if;
end $$;
