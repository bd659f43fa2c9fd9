import { http } from '@dot-do/worker-kernel/http'
import { ServiceError } from '@dot-do/worker-utils'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { propsOf, service, surroundings } from './harness.ts'
import { notesService, type NotesEnv } from './notes.ts'

const reader = propsOf(['notes:read'])

describe('a route written by hand', () => {
  function withRoute() {
    const own = notesService((env: NotesEnv) => env.store, service.document)
    const { app, fetch } = http(own)
    const { env } = surroundings()
    return {
      app,
      own,
      get: (path: string) =>
        fetch(new Request(`http://notes.do${path}`, { headers: { 'X-Request-ID': 'r-1' } }), { env, props: reader, waitUntil: () => undefined }),
    }
  }

  it('is served beside the projected ones, and finds the call', async () => {
    const { app, own, get } = withRoute()
    http(own).app.get('/raw', (c) => c.text(`${c.var.call.principal.id} ${c.var.call.requestId}`))

    expect(http(own).app).toBe(app)
    expect(await (await get('/raw')).text()).toBe('caller r-1')
  })

  it('may hand on an answer whose headers are frozen', async () => {
    const { app, get } = withRoute()
    app.get('/elsewhere', () => Response.redirect('http://elsewhere.do/'))

    const response = await get('/elsewhere')

    expect([response.status, response.headers.get('X-Request-ID')]).toEqual([302, 'r-1'])
  })

  it.each([
    ['a stranger', new TypeError('hunter2'), 500],
    ['a failure of ours with a cause', new ServiceError('UPSTREAM', 'The provider failed', { cause: new Error('hunter2') }), 502],
  ])('that throws %s is logged with it and answered without', async (_, thrown, status) => {
    const { app, get } = withRoute()
    const log = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => log.mockRestore())
    app.get('/broken', () => {
      throw thrown
    })

    const response = await get('/broken')

    expect([response.status, await response.text()]).toEqual([status, expect.not.stringContaining('hunter2')])
    expect(log.mock.calls).toEqual([[expect.stringMatching(/"event":"request_failed".*"requestId":"r-1".*hunter2/)]])
  })
})
