-- The platform's own upkeep. The clocks of these tasks are set by the cron that repairs lost alarms; whoever changes or pauses one finds it so after the next migration.
-- Each runs with schedule's own authority, of which queue grants a service's jobs what they need and no more.
insert into schedule.tasks (
  id, ns, name, description, timing, target, overlap, catch_up_seconds, jitter_seconds, retries, retry_after_seconds, timeout_seconds, alert_after_seconds, enabled, built_in,
  principal_id, principal_kind, principal_tenant, version, settled_until, created_by, created_at, updated_at)
select
  task.id, 'default', task.name, task.description,
  jsonb_build_object('cron', task.cron, 'timezone', 'UTC'),
  jsonb_build_object('kind', 'job', 'type', task.type, 'payload', task.payload::jsonb, 'priority', task.priority),
  -- What was missed while nothing ran is made up for once: a day's copy at noon is better than none.
  'skip', task.period, 0, 0, 10, task.timeout, task.alert, true, true,
  'schedule', 'service', 'default', 1, now(), 'schedule', now(), now()
from (values
  ('task_0000000000000000000000bt01', 'cleanup-expired-sessions', 'Removes sessions that ended more than 30 days ago',
    '@hourly', 'auth.cleanUpSessions', '{}', 2, 3600, 600, 5400),
  ('task_0000000000000000000000bt02', 'cleanup-expired-api-keys', 'Removes API keys that expired or were revoked more than 30 days ago',
    '@daily', 'auth.cleanUpKeys', '{}', 2, 86400, 600, 21600),
  ('task_0000000000000000000000bt03', 'cleanup-old-generations', 'Removes texts that models wrote more than 90 days ago',
    '@weekly', 'queue.cleanUpGenerations', '{}', 2, 604800, 600, 86400),
  ('task_0000000000000000000000bt04', 'generate-missing-embeddings', 'Makes the embeddings of things that have none, or one of another model',
    '@daily', 'db.generateMissingEmbeddings', '{"limit": 10000}', 2, 86400, 3600, 21600),
  ('task_0000000000000000000000bt05', 'update-analytics', 'Sums up the events of the hours that are over, also those that came late',
    '@hourly', 'db.updateAnalytics', '{"hours": 48}', 2, 3600, 600, 5400),
  ('task_0000000000000000000000bt06', 'backup-database', 'Copies what every service keeps into R2, and forgets copies that are too old',
    '@daily', 'db.backup', '{}', 2, 86400, 14400, 21600),
  ('task_0000000000000000000000bt07', 'health-check-services', 'Asks every service how it is, and opens or closes alerts',
    '*/5 * * * *', 'schedule.checkServices', '{}', 7, 0, 60, 1200),
  ('task_0000000000000000000000bt08', 'check-rate-limits', 'Looks for who was often refused for asking too much in the last hour, and opens or closes alerts',
    '@hourly', 'schedule.checkRateLimits', '{}', 5, 3600, 60, 5400)
) as task (id, name, description, cron, type, payload, priority, period, timeout, alert)
-- A name that somebody took before keeps its meaning.
where not exists (select from schedule.tasks taken where taken.ns = 'default' and taken.name = task.name and taken.deleted_at is null);
