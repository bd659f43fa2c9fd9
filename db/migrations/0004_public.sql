-- Public things by id, for those who may see no others: however many private ones lie between them, they are not walked over.
create index things_public on db.things (ns, id) where visibility = 'public' and deleted_at is null;
