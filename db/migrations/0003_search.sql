-- The beginning of a text, of so many bytes at most: cut by characters, which have four bytes at most, so that none is cut in two.
create function db.beginning(whole text, bytes integer) returns text language sql immutable parallel safe
  return case when octet_length(left(whole, bytes)) <= bytes then left(whole, bytes) else left(whole, bytes / 4) end;

-- Every text in a thing's data, at any depth, but its title and name, which count for more.
create function db.texts_of(data jsonb) returns text language sql immutable parallel safe
  return (select string_agg(found #>> '{}', E'\n') from jsonb_path_query(data - array['title', 'name'], 'strict $.** ? (@.type() == "string")') found);

create function db.title_of(data jsonb) returns text language sql immutable parallel safe
  return concat_ws(E'\n',
    case when jsonb_typeof(data -> 'title') = 'string' then data ->> 'title' end, case when jsonb_typeof(data -> 'name') = 'string' then data ->> 'name' end);

-- The words of a text. Words joined by a slash are words of their own, not a path.
create function db.words_in(whole text, bytes integer) returns tsvector language sql immutable parallel safe
  return to_tsvector('english', translate(db.beginning(whole, bytes), '/', ' '));

-- What full-text search looks at. A tsvector over 1 MB is an error; the worst that a text can do is to become four times as long, so this many bytes cannot fail.
-- Namespace and type stand in it too, as words that no text has since they contain a slash: so the index itself leaves out everybody else's things.
create function db.words_of(ns text, type text, id text, data jsonb, content text) returns tsvector language sql immutable parallel safe
  return array_to_tsvector(array['ns/' || ns, 'type/' || type])
    || setweight(to_tsvector('english', translate(id, '/._~-', '     ')) || db.words_in(db.title_of(data), 4096), 'A')
    || setweight(coalesce(db.words_in(db.texts_of(data), 49152), ''), 'B')
    || setweight(db.words_in(content, 163840), 'C');

alter table db.things add column words tsvector generated always as (db.words_of(ns, type, id, data, content)) stored;

-- Without a list of pending entries: where nobody vacuums, every search would read it from end to end.
create index things_by_words on db.things using gin (words) with (fastupdate = off) where deleted_at is null;

-- What an embedding is made of.
create function db.meaning_of(thing db.things) returns text language sql immutable
  return left(concat_ws(E'\n', db.title_of(thing.data), translate(thing.id, '/._~-', '     '), left(thing.content, 32768), db.texts_of(thing.data)), 32768);

-- Makes what search by meaning needs, where the server has pgvector (0.8 or newer); elsewhere it does nothing. May be called again at any time, by the owner.
-- `embedding` is null where a thing has no text to make one of. Other models' rows stay until they are made anew, and are not looked at.
create procedure db.add_vectors() language plpgsql as $$
begin
  if not exists (select from pg_available_extensions where name = 'vector') then
    raise notice 'There is no pgvector here: things are found by words alone';
    return;
  end if;
  create extension if not exists vector schema extensions;
  create table if not exists db.embeddings (
    ns text collate "C" not null,
    id text collate "C" not null,
    model text collate "C" not null,
    version integer not null,
    embedding extensions.vector(384),
    made_at timestamptz not null default now(),
    primary key (ns, id),
    foreign key (ns, id) references db.things (ns, id) on delete cascade
  );
  create index if not exists embeddings_by_nearness on db.embeddings using hnsw (embedding extensions.vector_cosine_ops) with (m = 16, ef_construction = 64);
  -- The library has to be loaded for its settings to be known.
  perform '[1]'::extensions.vector;
  alter role db set hnsw.ef_search = 100;
  alter role db set hnsw.iterative_scan = strict_order;
end $$;

revoke all on procedure db.add_vectors() from public, db;

call db.add_vectors();
