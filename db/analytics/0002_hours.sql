-- Events summed up by the hour, for reports over a long time: whatever such a report groups by is kept, what single events said is not.
-- An hour that is summed up anew writes the same groups again, perhaps with more events; the newer row takes the place of the older.
create table if not exists event_hours
(
    hour DateTime('UTC'),
    ns LowCardinality(String),
    type LowCardinality(String),
    service LowCardinality(String),
    operation LowCardinality(String),
    principal String codec (ZSTD),
    status UInt16,
    events UInt64,
    -- When the first and the last of them happened.
    first DateTime64(3, 'UTC'),
    last DateTime64(3, 'UTC'),
    summed_at DateTime64(3, 'UTC')
)
engine = ReplacingMergeTree(summed_at)
order by (ns, type, hour, service, operation, principal, status)
settings non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Which hours are in event_hours with all their groups, and of how many events. A report reads the events themselves for every other hour.
create table if not exists summed_hours
(
    hour DateTime('UTC'),
    events UInt64,
    summed_at DateTime64(3, 'UTC')
)
engine = ReplacingMergeTree(summed_at)
order by hour
settings non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;
