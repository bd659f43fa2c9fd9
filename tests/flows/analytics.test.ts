import { describe, expect, it } from 'vitest'
import { admin, ask, makeKey, rpc, unique, type Loose } from './client.ts'

const PERMISSIONS = ['things:read', 'things:write', 'events:read', 'events:write']

/** A key in a tenant that nobody else uses, and that tenant's reports. */
async function tenant(permissions = PERMISSIONS) {
  const { key, id, tenant: ns } = await makeKey({ tenant: unique('events'), permissions })
  const report = async (name: string, query = ''): Promise<Loose[]> => rowsOf((await ask(`/db/analytics/${name}?${query}`, { key })).data)
  const track = (events: unknown[], headers: Record<string, string> = {}) => ask('/db/events', { key, headers, body: { events } })
  return { key, id, ns, report, track }
}

function rowsOf(data: Loose): Loose[] {
  return data['rows'] as unknown as Loose[] // an assertion says what they are
}

/** Events come to ClickHouse within seconds; whoever waits for some asks again until they are there. */
const soon = { timeout: 20_000, interval: 200 }

describe('a request through the gateway', () => {
  it('is in every report of the tenant that made it', async () => {
    const { key, id, report } = await tenant()
    for (let count = 0; count < 3; count++) await ask('/db/things', { key })
    for (let count = 0; count < 2; count++) await ask('/db/things/nothing', { key })

    await expect
      .poll(() => report('types'), soon)
      .toEqual(expect.arrayContaining([expect.objectContaining({ type: 'request', count: expect.any(Number) }), expect.objectContaining({ type: 'call' })]))
    await expect
      .poll(async () => (await report('requests')).filter(({ operation }) => ['get', 'list'].includes(String(operation))), soon)
      .toEqual([
        { service: 'db', operation: 'list', requests: 3, errors: 0 },
        { service: 'db', operation: 'get', requests: 2, errors: 2 },
      ])
    await expect
      .poll(() => report('errors'), soon)
      .toEqual([
        { type: 'call', service: 'db', operation: 'get', status: 404, errors: 2, principals: 1, last: expect.stringMatching(/Z$/) },
        { type: 'request', service: 'db', operation: 'get', status: 404, errors: 2, principals: 1, last: expect.stringMatching(/Z$/) },
      ])

    const figure = expect.any(Number)
    expect(await report('latency', 'service=db')).toContainEqual({
      type: 'request',
      service: 'db',
      operation: 'list',
      count: 3,
      p50: figure,
      p90: figure,
      p95: figure,
      p99: figure,
    })
    expect(await report('keys')).toEqual([{ principal: id, requests: figure, errors: 2, last: expect.stringMatching(/Z$/) }])
    expect(await report('activity', 'interval=day')).toContainEqual({ time: expect.stringMatching(/T00:00:00.000Z$/), type: 'request', count: figure })
  })

  it('is tracked once where it comes from outside, and once in each service that it calls', async () => {
    const { key, report } = await tenant()
    await ask('/db/things', { key })

    await expect
      .poll(
        async () =>
          (await report('latency')).filter(({ operation }) => String(operation) === 'list').map(({ type, service, count }) => ({ type, service, count })),
        soon,
      )
      .toEqual([
        { type: 'call', service: 'db', count: 1 },
        { type: 'request', service: 'db', count: 1 },
      ])
  })

  it('to a published worker is told of without its name', async () => {
    const { key, report } = await tenant()
    await ask('/somewhere', { key, host: 'nobody-published-this.do' })

    await expect
      .poll(async () => (await report('requests')).filter(({ service }) => String(service) === 'dispatcher'), soon)
      .toEqual([{ service: 'dispatcher', operation: '', requests: 1, errors: 1 }])
  })

  it('that only carries events makes no call to be tracked, and so no end of events', async () => {
    const { track, report } = await tenant()
    await track([{ type: 'signup' }])
    await expect.poll(() => report('types'), soon).toContainEqual(expect.objectContaining({ type: 'signup', count: 1 }))

    const calls = await admin('/db/analytics/latency?service=db&limit=1000')

    const operations = rowsOf(calls.data)
      .filter(({ type }) => String(type) === 'call')
      .map(({ operation }) => operation)
    expect(operations).toContain('execute')
    expect(operations).not.toContain('track')
    expect(operations).not.toContain('trackLines')
  })
})

describe('reports', () => {
  it('are for those who may read events, of their own tenant', async () => {
    const { ns, track, report } = await tenant()
    await track([{ type: 'secret' }])
    await expect.poll(() => report('types'), soon).toContainEqual(expect.objectContaining({ type: 'secret' }))
    const [rival, writer] = [await tenant(), await tenant(['events:write'])]

    expect((await ask('/db/analytics/types')).status).toBe(401)
    expect((await ask('/db/analytics/types', { key: writer.key })).status).toBe(403)
    expect(await ask(`/db/analytics/types?ns=${ns}`, { key: rival.key })).toMatchObject({ status: 404, error: { code: 'NOT_FOUND' } })
    expect(await rival.report('types')).not.toContainEqual(expect.objectContaining({ type: 'secret' }))
    expect(rowsOf((await admin(`/db/analytics/types?ns=${ns}`)).data)).toContainEqual(expect.objectContaining({ type: 'secret' }))
  })

  it('are about the time that was asked for, its end excluded', async () => {
    const { track, report } = await tenant()
    const at = ['2026-01-01T00:00:00Z', '2026-01-01T00:59:59.999Z', '2026-01-01T01:00:00Z', '2026-01-02T00:00:00Z']
    await track(at.map((time) => ({ type: 'tick', at: time })))
    const inJanuary = 'from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z'

    await expect
      .poll(() => report('types', inJanuary), soon)
      .toEqual([{ type: 'tick', count: 3, first: '2026-01-01T00:00:00.000Z', last: '2026-01-01T01:00:00.000Z' }])
    expect(await report('activity', inJanuary)).toEqual([
      { time: '2026-01-01T01:00:00.000Z', type: 'tick', count: 1 },
      { time: '2026-01-01T00:00:00.000Z', type: 'tick', count: 2 },
    ])
    expect(await report('activity', `${inJanuary}&limit=1`)).toHaveLength(1)
  })

  it.each([
    ['an end before the start', 'types?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'from'],
    ['an end at the start', 'types?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', 'from'],
    ['a name there is not', 'everything', 'report'],
    ['no rows', 'types?limit=0', 'limit'],
    ['an interval there is not', 'activity?interval=week', 'interval'],
    ['a namespace that is none', "types?ns=a'b", 'ns'],
  ])('with %s are INVALID, which names the field', async (_what, query, path) => {
    expect(await admin(`/db/analytics/${query}`)).toMatchObject({ status: 400, error: { code: 'INVALID', details: [{ path }] } })
  })

  it.each(["' or 1=1 --", 'a\\', '{ns:String}', "'; drop table events", '\t\n'])('take any text for a service and never for SQL: %j', async (service) => {
    const answer = await admin(`/db/analytics/requests?service=${encodeURIComponent(service)}`)

    expect(answer).toMatchObject({ status: 200, data: { rows: [] } })
  })
})

describe('tracked events', () => {
  it('are kept a thousand at once', async () => {
    const { track, report } = await tenant()

    const { status, data } = await track(Array.from({ length: 1_000 }, (_, index) => ({ type: 'step', data: { index } })))

    expect({ status, data }).toEqual({ status: 200, data: { accepted: 1_000, id: expect.stringMatching(/^evb_/) } })
    await expect.poll(() => report('types'), soon).toContainEqual(expect.objectContaining({ type: 'step', count: 1_000 }))
  })

  it('are kept all or none, and the event that is wrong is named', async () => {
    const { track, report } = await tenant()
    const good = { type: 'good' }

    const refused = await track([good, good, good, { type: 'bad', at: 'yesterday' }])
    await track([{ type: 'later' }])

    expect(refused).toMatchObject({ status: 400, error: { code: 'INVALID', details: [{ path: 'events.3.at' }] } })
    await expect.poll(() => report('types'), soon).toContainEqual(expect.objectContaining({ type: 'later' }))
    expect(await report('types')).not.toContainEqual(expect.objectContaining({ type: 'good' }))
  })

  it('come once for one idempotency key, however often and however much at once it is used', async () => {
    const { track, report } = await tenant()
    const key = { 'idempotency-key': unique('key') }
    const events = [{ type: 'once' }, { type: 'once' }]

    const answers = await Promise.all(Array.from({ length: 6 }, () => track(events, key)))
    const again = await track(events, key)
    const other = await track([{ type: 'twice' }], key)

    expect(answers.map(({ status, data }) => ({ status, data }))).toEqual(answers.map(() => ({ status: 200, data: again.data })))
    expect(other).toMatchObject({ status: 409, error: { code: 'CONFLICT' } })
    await track([{ type: 'after' }])
    await expect.poll(() => report('types'), soon).toContainEqual(expect.objectContaining({ type: 'after' }))
    expect(await report('types')).toContainEqual(expect.objectContaining({ type: 'once', count: 2 }))
    expect(await report('types')).not.toContainEqual(expect.objectContaining({ type: 'twice' }))
  })

  it('are nobody’s to write in another’s name, as ready lines or otherwise', async () => {
    const { key } = await tenant(['events:write'])
    const lines = { lines: '{"type":"forged","ns":"default"}\n', events: 1 }

    expect((await ask('/db/events', { key, body: { ns: 'default', events: [{ type: 'forged' }] } })).status).toBe(404)
    expect((await rpc('DB_POWERLESS', 'trackLines', lines)).error['code']).toBe('FORBIDDEN')
    expect((await rpc('DB_AS_AUTH', 'trackLines', lines)).error['code']).toBe('FORBIDDEN')
    expect((await ask('/db/trackLines', { key, body: lines })).status).toBe(404)
  })

  it('reach ClickHouse, as db’s health tells', async () => {
    expect(await ask('/db/health')).toMatchObject({ status: 200, data: { status: 'ok', checks: { clickhouse: { status: 'ok' } } } })
  })
})
