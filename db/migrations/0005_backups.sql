-- What a copy of the database says it is of. The tables behind these are the owner's, and db reads nothing else of them.
create view db.applied_migrations as select service, name, sha256 from platform.migrations;
create view db.services as select service as name from platform.roles;
