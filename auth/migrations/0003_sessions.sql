-- Devices that are signed in. The refresh tokens of a session lie in its Durable Object, as a hash.
create table auth.sessions (
  id text collate "C" primary key,
  user_id text not null references auth.users (id),
  -- Whose member the user acts as.
  organisation_id text not null references auth.organisations (id),
  -- What the browser or program called itself, and where it was last used from; both empty where nobody says.
  device text not null,
  address text not null,
  provider text not null,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);

create index sessions_by_use on auth.sessions (user_id, last_used_at desc, id desc);
create index sessions_by_organisation on auth.sessions (organisation_id, last_used_at desc, id desc);
create index sessions_by_end on auth.sessions (expires_at);

-- Access tokens that are refused before they expire: those of a session, user or trust that were issued up to a moment. Nobody needs a row for longer than such
-- a token lives.
create table auth.refused_tokens (
  subject text primary key,
  before timestamptz not null
);

create index refused_tokens_by_age on auth.refused_tokens (before);

-- What access tokens are signed with, and verified. `next` is published before it signs; `retired` is, until whatever it signed has expired.
create table auth.signing_keys (
  kid text primary key,
  state text not null,
  -- The public key (RFC 8037), in base64url.
  x text not null,
  -- The private key, encrypted under a key that is derived from the Worker's secret.
  sealed text not null,
  created_at timestamptz not null,
  signs_since timestamptz,
  retired_at timestamptz
);

-- Two that make the first keys at once make one pair.
create unique index signing_keys_in_use on auth.signing_keys (state) where state <> 'retired';

-- Lets the next key sign, if it is the one that is expected, and a fresh one be next. Raises DO409 when another rotation came first.
create function auth.rotate_signing_key(expected text, fresh_kid text, fresh_x text, fresh_sealed text, now timestamptz) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('auth.signing_keys'));
  if not exists (select from auth.signing_keys where kid = expected and state = 'next') then
    raise exception using errcode = 'DO409', detail = '', message = 'Another rotation came first';
  end if;
  update auth.signing_keys set state = 'retired', retired_at = now where state = 'current';
  update auth.signing_keys set state = 'current', signs_since = now where state = 'next';
  insert into auth.signing_keys (kid, state, x, sealed, created_at) values (fresh_kid, 'next', fresh_x, fresh_sealed, now);
end $$;
