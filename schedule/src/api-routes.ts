import type { Runtime } from '@dot-do/worker-kernel/call'
import type { HttpService } from '@dot-do/worker-kernel/http'
import type { Env } from './env.ts'

/** Serves every route of the contract under `/api` too, as `/api/tasks` on schedule's own host: what they ask and refuse is the same. */
export function addApiRoutes({ app, fetch }: HttpService<Env>): void {
  app.all('/api/*', (c, next) => {
    const url = new URL(c.req.url)
    url.pathname = url.pathname.slice('/api'.length)
    if (url.pathname.startsWith('/api/')) return next()
    return fetch(new Request(url, c.req.raw), c.executionCtx as unknown as Runtime<Env>) // the kernel hands its runtime on in the context's place
  })
}
