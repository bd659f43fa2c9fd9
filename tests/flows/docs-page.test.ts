import { describe, expect, inject, it } from 'vitest'
import { ask } from './client.ts'

const { port, adminKey } = inject('platform')

describe('GET /docs', () => {
  it('is the reference of all services, for everybody, with requests to the host it was asked at', async () => {
    const { status, headers, text } = await ask('/docs')

    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'public, max-age=60' })
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/)
    for (const id of ['gateway_health', 'auth_createKey', 'db_upsert', 'deploy_deploy', 'dispatcher_resolve', 'queue_enqueue', 'schedule_createTask'])
      expect(text).toContain(`<article id="${id}">`)
    expect(text).toContain(`http://localhost:${port}/db/things`)
  })

  it('is not sent again to whoever has it', async () => {
    const { headers } = await ask('/docs')

    expect(await ask('/docs', { headers: { 'if-none-match': headers['etag'] ?? '' } })).toMatchObject({ status: 304, text: '' })
  })

  it('shows a request that does what it says', async () => {
    const { text } = await ask('/docs/db')
    const shown = /id="db_upsert">.*?<pre[^>]*>(.*?)<\/pre>/s.exec(text)?.[1] ?? ''
    const curl = shown.replace(/<[^>]*>/g, '').replace(/&#(\d+);/g, (_entity, code: string) => String.fromCharCode(Number(code)))
    const [, method, path, body] = /-X (\w+) http:\/\/localhost:\d+(\S+).* -d '(.*)'/s.exec(curl) ?? []

    const answer = await ask(path ?? '', { method: method ?? '', key: adminKey, body, headers: { 'content-type': 'application/json' } })

    expect(answer).toMatchObject({ status: 201, data: { $type: 'Note', version: 1 } })
  })

  it.each([
    ['/docs/db', '<article id="db_get">'],
    ['/gateway/docs', '<article id="db_get">'],
  ])('is at %s too', async (path, part) => {
    const { status, text } = await ask(path)

    expect(status).toBe(200)
    expect(text).toContain(part)
  })

  it.each([
    ['GET', '/docs/nothing', undefined],
    ['GET', '/docs/db/things', undefined],
    ['POST', '/docs', undefined],
    ['GET', '/docs', `db.do.localhost:${port}`],
  ])('is not at %s %s of %s', async (method, path, host) => {
    expect(await ask(path, { method, ...(host !== undefined && { host }) })).toMatchObject({ status: 404, error: { code: 'NOT_FOUND' } })
  })
})
