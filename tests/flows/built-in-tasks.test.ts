import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { run, sql } from './built-in-tasks.ts'
import { admin, ask, makeKey, unique, type Loose } from './client.ts'

const TASKS = {
  'backup-database': ['@daily', 'db.backup'],
  'check-rate-limits': ['@hourly', 'schedule.checkRateLimits'],
  'cleanup-expired-api-keys': ['@daily', 'auth.cleanUpKeys'],
  'cleanup-expired-sessions': ['@hourly', 'auth.cleanUpSessions'],
  'cleanup-old-generations': ['@weekly', 'queue.cleanUpGenerations'],
  'generate-missing-embeddings': ['@daily', 'db.generateMissingEmbeddings'],
  'health-check-services': ['*/5 * * * *', 'schedule.checkServices'],
  'update-analytics': ['@hourly', 'db.updateAnalytics'],
}

describe('the tasks that come with the platform', () => {
  it('are these eight, and somebody is told when one of them misses its time', async () => {
    const { data } = await admin('/schedule/tasks?limit=100')

    const builtIn = (data['items'] as unknown as Loose[]).filter(({ builtIn }) => builtIn)
    expect(Object.fromEntries(builtIn.map(({ name, timing, target }) => [name, [timing?.['cron'], target?.['type']]]))).toEqual(TASKS)
    for (const task of builtIn) expect(task).toMatchObject({ ns: 'default', enabled: true, alertAfterSeconds: expect.any(Number), createdBy: 'schedule' })
  })

  it('can be paused and not deleted', async () => {
    const deleted = await admin('/schedule/tasks/cleanup-old-generations', { method: 'DELETE' })

    expect(deleted.status).toBeGreaterThanOrEqual(400)
    expect((await admin('/schedule/tasks/cleanup-old-generations/disable', { body: { note: 'for a while' } })).data).toMatchObject({
      enabled: false,
      note: 'for a while',
    })
    expect((await admin('/schedule/tasks/cleanup-old-generations/enable', { body: {} })).data).toMatchObject({ enabled: true })
  })

  it('are nobody else’s to run, and do nothing that their maker could not ask for', async () => {
    const { key } = await makeKey({ tenant: unique('acme'), permissions: ['tasks:read', 'tasks:write', 'jobs:write'] })

    expect((await ask('/schedule/tasks/backup-database/run', { key, body: {} })).status).toBe(404)
    expect((await ask('/db/maintenance/backups', { key, body: {} })).status).toBe(403)
    expect((await ask('/queue/jobs', { key, body: { type: 'db.backup' } })).status).toBe(403)
  })
})

describe('cleanup-expired-sessions', () => {
  it('removes sessions that ended more than thirty days ago, and no others', async () => {
    const id = (name: string) => `'sess_${unique(name)}'`
    const [old, recent] = [id('old'), id('recent')]
    const [user, organisation] = [unique('user'), unique('org')]
    const columns = (table: string) =>
      sql(
        'auth',
        `select column_name, data_type from information_schema.columns where table_schema = 'auth' and table_name = '${table}' and is_nullable = 'NO' and column_default is null`,
      )
    const fill = async (table: string, given: Record<string, string>) => {
      const needed = await columns(table)
      const values = Object.fromEntries(
        needed.map(([name, type]) => [String(name), /time/.test(String(type)) ? 'now()' : /int|bool/.test(String(type)) ? "'1'" : `'${unique('x')}'`]),
      )
      const all = { ...values, ...given }
      await sql('auth', `insert into auth.${table} (${Object.keys(all).join(', ')}) values (${Object.values(all).join(', ')})`)
    }
    await fill('users', { id: `'${user}'` })
    await fill('organisations', { id: `'${organisation}'` })
    const session = { user_id: `'${user}'`, organisation_id: `'${organisation}'` }
    await fill('sessions', { ...session, id: old, expires_at: `now() - interval '31 days'` })
    await fill('sessions', { ...session, id: recent, expires_at: `now() - interval '29 days'` })

    const { sessions } = await run('cleanup-expired-sessions')

    expect(Number(sessions)).toBeGreaterThanOrEqual(1)
    expect(await sql('auth', `select id from auth.sessions where user_id = '${user}'`)).toEqual([[recent.slice(1, -1)]])
  })
})

describe('cleanup-expired-api-keys', () => {
  it('removes keys that were revoked more than thirty days ago, and no others', async () => {
    const [old, recent] = await Promise.all([makeKey({ permissions: ['things:read'] }), makeKey({ permissions: ['things:read'] })])
    for (const { id } of [old, recent]) await admin(`/auth/apikeys/${id}`, { method: 'DELETE' })
    await sql('auth', `update auth.keys set revoked_at = now() - interval '31 days' where id = '${old.id}'`)

    await run('cleanup-expired-api-keys')

    expect(await sql('auth', `select id from auth.keys where id in ('${old.id}', '${recent.id}')`)).toEqual([[recent.id]])
  })
})

describe('cleanup-old-generations', () => {
  it('removes texts that were written more than ninety days ago, in every namespace', async () => {
    const ns = unique('acme')
    await sql(
      'queue',
      `insert into queue.generations (id, ns, prompt, model, text, created_by, created_at)
        select 'gen_${ns}-' || days, '${ns}', 'p', 'm', 't', 'me', now() - days * interval '1 day' from unnest(array[89, 91, 400]) days`,
    )

    await run('cleanup-old-generations')

    expect(await sql('queue', `select id from queue.generations where ns = '${ns}'`)).toEqual([[`gen_${ns}-89`]])
  })
})

describe('generate-missing-embeddings', () => {
  it('lets things be found by what they mean that nobody made an embedding of', async () => {
    const { key, tenant } = await makeKey({ tenant: unique('acme'), permissions: ['things:read', 'things:write'] })
    await sql(
      'db',
      `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
        values ('${tenant}', 'animal', 'Note', 'A zebra grazes', '{}', 'private', 1, now(), now())`,
    )
    const find = async () => (await ask('/db/search?q=zebra&mode=vector', { key })).data['items'] as unknown as Loose[]
    const before = await find()

    await run('generate-missing-embeddings')

    expect(before).toEqual([])
    expect(await find()).toMatchObject([{ thing: { $id: 'animal' } }])
  })
})

describe('update-analytics', () => {
  it('sums up hours that are over, and reports over days read the same as before', async () => {
    const { key } = await makeKey({ tenant: unique('acme'), permissions: ['events:read', 'events:write'] })
    const hoursAgo = (count: number) => new Date(Date.now() - count * 3_600_000).toISOString()
    await ask('/db/events', { key, body: { events: [5, 5, 6].map((count) => ({ type: 'sale', at: hoursAgo(count) })) } })
    const days = async () => (await ask(`/db/analytics/types?from=${hoursAgo(72)}`, { key })).data['rows'] as unknown as Loose[]
    const sales = await eventually(async () => {
      const found = (await days()).filter(({ type }) => String(type) === 'sale')
      expect(found).toMatchObject([{ count: 3 }])
      return found
    })

    const first = await run('update-analytics')
    const again = await run('update-analytics')

    expect(Number(first['rows'])).toBeGreaterThan(0)
    // An hour may have ended in between.
    expect(Number(again['hours'])).toBeLessThanOrEqual(1)
    expect((await days()).filter(({ type }) => String(type) === 'sale')).toEqual(sales)
  })
})

describe('health-check-services', () => {
  it('tells how every service is', async () => {
    const { services } = await run('health-check-services')

    const known = (services as unknown as Loose[]).map(({ service, status }) => `${String(service)} ${String(status)}`)
    expect(known).toEqual(expect.arrayContaining(['gateway ok', 'db ok', 'queue ok', 'schedule ok', 'deploy ok', 'dispatcher ok', 'mcp ok']))
    expect(known.join()).toContain('auth')
  })
})

describe('check-rate-limits', () => {
  it('opens an alert for whoever was refused often', async () => {
    const { id, key } = await makeKey({ tenant: unique('acme'), permissions: ['things:read'], limitPerMinute: 1 })
    for (let round = 0; round < 6; round++) await Promise.all(Array.from({ length: 20 }, () => ask('/db/things', { key })))
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString()
    await eventually(async () => {
      const { data } = await admin(`/db/maintenance/refusals?from=${hourAgo}&to=${new Date(Date.now() + 60_000).toISOString()}&refusals=100`)
      expect(data['items']).toContainEqual({ principal: id, refused: expect.any(Number) })
    })

    const { principals } = await run('check-rate-limits')

    expect(principals).toContainEqual({ principal: id, refused: expect.any(Number) })
    const { data } = await admin('/schedule/alerts?open=true&kind=rate-limited&limit=100')
    expect(data['items']).toContainEqual(expect.objectContaining({ subject: id, kind: 'rate-limited', closedAt: null }))
  })
})
