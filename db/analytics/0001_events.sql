-- What happened, one row for each event. Reports are about one namespace and one or two types over a stretch of time.
-- A batch that is sent again under the token it had (insert_deduplication_token) is not written twice while it is among the last 10,000 inserts.
-- Without partitions, since one batch may hold events of any number of months, and an insert into more than a hundred partitions is refused.
create table if not exists events
(
    id String,
    at DateTime64(3, 'UTC') codec (DoubleDelta, ZSTD),
    ns LowCardinality(String),
    type LowCardinality(String),
    -- Empty where nobody said.
    service LowCardinality(String),
    operation LowCardinality(String),
    principal String codec (ZSTD),
    via LowCardinality(String),
    -- As HTTP has it; 0 where nobody said.
    status UInt16,
    duration_ms Nullable(Float32),
    request_id String codec (ZSTD),
    -- A JSON object, or empty.
    data String codec (ZSTD)
)
engine = MergeTree
order by (ns, type, at)
settings non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
