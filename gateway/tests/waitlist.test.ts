import { gateway as contract } from '@dot-do/worker-contracts/gateway'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { waitlistPage } from '../src/waitlist-page.ts'
import { startGateway, type BoundGateway, type GatewayInProcess } from './in-process.ts'

let running: GatewayInProcess
let stranger: BoundGateway
let operator: BoundGateway

beforeAll(async () => {
  running = await startGateway()
  stranger = running.as('stranger', [])
  operator = running.as('operator', ['waitlist:read', 'waitlist:write'])
})
beforeEach(() => running.db.database.reset())
afterAll(() => running.db.close())

describe('the waitlist', () => {
  it('takes an address from anyone, and tells nobody whether it was known', async () => {
    const first = await stranger.joinWaitlist({ email: 'Ada@Example.com', host: 'soon.example.com' })
    const again = await stranger.joinWaitlist({ email: 'ada@example.COM', host: 'other.example.com' })

    expect([first, again]).toEqual([{ joined: true }, { joined: true }])
    const { items } = await operator.listWaitlist({})
    expect(items).toEqual([{ email: 'ada@example.com', host: 'soon.example.com', createdAt: expect.any(String) as string }])
  })

  it.each(['', 'nobody', 'a@b', 'a b@example.com', `${'a'.repeat(255)}@example.com`, 'x@example.com\r\nBcc: y@example.com'])(
    'does not take %j for an address',
    async (email) => {
      await expect(stranger.joinWaitlist({ email })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'email' }] })
    },
  )

  it('is listed newest first, a page at a time, none twice and none left out where many came at once', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await stranger.joinWaitlist({ email: `${name}@example.com` })
    await owned(running.db.database, `update gateway.waitlist set created_at = '2026-01-01' where email < 'd'`)

    const seen: string[] = []
    let cursor: string | undefined
    do {
      const { items, nextCursor } = await operator.listWaitlist({ limit: 2, ...(cursor !== undefined && { cursor }) })
      seen.push(...items.map(({ email }) => email.slice(0, 1)))
      cursor = nextCursor ?? undefined
    } while (cursor !== undefined)

    expect(seen.slice(0, 2).sort()).toEqual(['d', 'e'])
    expect(seen.slice(2)).toEqual(['c', 'b', 'a'])
  })

  it('forgets an address when told', async () => {
    await stranger.joinWaitlist({ email: 'ada@example.com' })

    expect(await operator.deleteFromWaitlist({ email: 'ADA@example.com' })).toEqual({ deleted: true })
    expect(await operator.deleteFromWaitlist({ email: 'ada@example.com' })).toEqual({ deleted: false })
    expect((await operator.listWaitlist({})).items).toEqual([])
  })

  it.each(['bm8', btoa('["x","a@example.com"]'), btoa('["2026-02-30T00:00:00.000Z","a"]'), btoa('[1,2]')])('has no page that begins at %s', async (cursor) => {
    await expect(operator.listWaitlist({ cursor: cursor.replace(/=+$/, '') })).rejects.toMatchObject({ code: 'INVALID' })
  })

  it.each(['listWaitlist', 'deleteFromWaitlist', 'createDomain', 'deleteDomain', 'listDomains', 'routes'] as const)(
    '%s is not for those who lack its permission',
    async (name) => {
      const refused = { code: 'FORBIDDEN', message: expect.stringContaining(contract.operations[name].permission) as unknown }
      await expect(stranger[name]({ email: 'a@example.com', host: 'a.example.com', service: 'db' } as never)).rejects.toMatchObject(refused)
    },
  )
})

describe('the page for people', () => {
  it('says where nothing is, and runs and loads nothing', async () => {
    const answer = await waitlistPage('soon.example.com', 'empty', { method: 'GET' })
    const html = await answer.text()

    expect(answer.status).toBe(404)
    expect(answer.headers.get('Content-Security-Policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; .*form-action 'self'; frame-ancestors 'none'$/,
    )
    expect(html).toContain('soon.example.com')
    expect(html).toMatch(/<form method="post" action="\/waitlist">/)
    expect(html).not.toMatch(/<script|javascript:|<link (?!rel="icon" href="data:,")|<img/)
  })

  it('writes what a visitor said as text, whatever it is', async () => {
    const html = await (await waitlistPage('<b>.example.com', 'invalid', { method: 'POST', email: '"><script>alert(1)</script>' })).text()

    expect(html).not.toContain('<script>')
    expect(html).not.toContain('<b>.example')
    expect(html).toContain('role="alert"')
  })

  it('has no body for HEAD', async () => {
    expect(await (await waitlistPage('soon.example.com', 'empty', { method: 'HEAD' })).text()).toBe('')
  })
})
