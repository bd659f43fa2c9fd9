import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { answerReference, referencePath } from '../src/docs/reference.ts'
import { documentsEnv } from './documents.ts'

const env = documentsEnv()
const sha256 = (text: string | undefined) =>
  createHash('sha256')
    .update(text ?? '')
    .digest('base64')

function ask(service: string | null, { origin = 'http://localhost:8787', method = 'GET', headers = {} } = {}): Promise<Response> {
  const url = new URL('/docs', origin)
  return answerReference(service, { request: new Request(url, { method, headers }), url }, env)
}

describe('the reference', () => {
  it('lets the browser run its own style and script, by their hashes, and nothing else', async () => {
    const answer = await ask(null)
    const page = await answer.text()
    const policy = answer.headers.get('content-security-policy')?.split('; ')

    expect(policy).toEqual([
      "default-src 'none'",
      `style-src 'sha256-${sha256(/<style>(.*?)<\/style>/s.exec(page)?.[1])}'`,
      `script-src 'sha256-${sha256(/<script>(.*?)<\/script>/s.exec(page)?.[1])}'`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('shows requests to the host it was asked at', async () => {
    expect(await (await ask('db', { origin: 'https://api.do' })).text()).toContain('https://api.do/db/things')
    expect(await (await ask('db')).text()).not.toContain('https://api.do/db/things')
  })

  it.each<[string, (etag: string) => string]>([
    ['its own tag', (etag) => etag],
    ['its own tag, weakened on the way', (etag) => `W/${etag}`],
    ['its own tag among others', (etag) => `"other", ${etag}`],
    ['any', () => '*'],
  ])('is not sent again to whoever has it: %s', async (_what, known) => {
    const etag = (await ask(null)).headers.get('etag') ?? ''

    const again = await ask(null, { headers: { 'if-none-match': known(etag) } })

    expect(etag).toMatch(/^"[^"]{20,}"$/)
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
  })

  it('is sent to whoever has another', async () => {
    const [all, db] = await Promise.all([ask(null), ask('db')])

    const answer = await ask(null, { headers: { 'if-none-match': db.headers.get('etag') ?? '' } })

    expect(answer.status).toBe(200)
    expect(all.headers.get('etag')).not.toBe(db.headers.get('etag'))
  })

  it('has no body for HEAD', async () => {
    const answer = await ask(null, { method: 'HEAD' })

    expect([answer.status, await answer.text()]).toEqual([200, ''])
  })

  it('of a service that is not there is NOT_FOUND', async () => {
    await expect(ask('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it.each([
    ['/docs', null],
    ['/docs/db', 'db'],
    ['/docs/', undefined],
    ['/docs/db/things', undefined],
    ['/docsdb', undefined],
    ['/', undefined],
  ])('is asked for by %s: %s', (path, service) => {
    expect(referencePath(path)).toBe(service)
  })
})
