import { beforeAll, expect, it } from 'vitest'
import { platformAt, type PlatformInTime } from './platform.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

let inTime: PlatformInTime

beforeAll(async () => {
  inTime = await platformAt('2027-03-13T12:00:00Z')
  return inTime.end
})

async function signIn(email: string) {
  const { ask, codeFor } = inTime
  await ask('/auth/codes', { key: null, body: { email } })
  const { data } = await ask('/auth/sessions', { key: null, body: { email, code: await codeFor(email), device: 'Test' } })
  return tokensOf(data)
}

function tokensOf(data: Record<string, unknown>) {
  return { key: String(data['accessToken']), refreshToken: String(data['refreshToken']) }
}

it('an access token is good for an hour, to the second', async () => {
  const { key } = await signIn('ada@example.com')
  const { ask, clock } = inTime

  await clock.jump(HOUR_MS - 1_000)
  const before = await ask('/auth/me', { key })
  await clock.jump(1_000)
  const after = await ask('/auth/me', { key })

  expect([before.status, after.status]).toEqual([200, 401])
})

it('a session is refreshed for thirty days, and ends with them', async () => {
  const { refreshToken } = await signIn('grace@example.com')
  const { ask, clock } = inTime
  const refresh = (token: string) => ask('/auth/refresh', { key: null, body: { refreshToken: token } })

  await clock.jump(29 * DAY_MS)
  const late = await refresh(refreshToken)
  const renewed = tokensOf(late.data)
  const used = await ask('/auth/me', { key: renewed.key })
  await clock.jump(DAY_MS)
  const over = await refresh(renewed.refreshToken)

  expect([late.status, used.status, over.status]).toEqual([200, 200, 401])
})

it('a one-time code is good for ten minutes', async () => {
  const { ask, clock, codeFor } = inTime
  const email = 'barbara@example.com'
  await ask('/auth/codes', { key: null, body: { email } })
  const code = await codeFor(email)

  await clock.advance(10 * 60_000)
  const late = await ask('/auth/sessions', { key: null, body: { email, code } })

  expect(late.status).toBe(401)
})

it('a minute’s limit is used up, stays so for that minute, and is there again after it', async () => {
  const { ask, clock } = inTime
  const { data } = await ask('/auth/apikeys', { body: { name: 'test', tenant: 'acme', permissions: ['things:read'], limitPerMinute: 3 } })
  const key = String(data['key'])
  const statuses = async (count: number) => {
    const found = []
    for (let asked = 0; asked < count; asked++) found.push((await ask('/db/count', { key })).status)
    return found
  }

  const first = await statuses(4)
  await clock.advance(30_000)
  const halfway = await statuses(1)
  await clock.advance(31_000)
  const next = await statuses(4)

  expect(first).toEqual([200, 200, 200, 429])
  expect(halfway).toEqual([429])
  expect(next).toEqual([200, 200, 200, 429])
})

it('the database has the same time: it says itself when a key was last used', async () => {
  const { ask, clock } = inTime
  const { data } = await ask('/auth/apikeys', { body: { name: 'seen', tenant: 'acme', permissions: ['things:read'] } })
  const lastUsed = async () => {
    await ask('/db/count', { key: String(data['key']) })
    await clock.settle()
    return String((await ask(`/auth/apikeys/${String(data['id'])}`)).data['lastUsedAt'])
  }

  await clock.jump(HOUR_MS)
  const first = [await lastUsed(), new Date(clock.now()).toISOString()]
  await clock.jump(DAY_MS)
  const second = [await lastUsed(), new Date(clock.now()).toISOString()]

  expect(first[0]).toBe(first[1])
  expect(second[0]).toBe(second[1])
})
