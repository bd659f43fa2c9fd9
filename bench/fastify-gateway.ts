import { createServer } from 'node:http'
import httpProxy from '@fastify/http-proxy'
import rateLimit from '@fastify/rate-limit'
import fastify from 'fastify'
import { Redis } from 'ioredis'

/** What the process is told by its parent. */
interface Part {
  part: 'gateway' | 'backend'
  /** Where the backend answers; for the gateway. */
  backend?: string
  key?: string
  /** Where Redis answers; without it the limits are counted in memory. */
  redis?: string | undefined
}

const ANSWER = JSON.stringify({ success: true, data: { allowed: false, reason: 'bench has no permission that covers db:query' } })

// A gateway as the field builds one, to compare with: it checks a key that it has in memory, counts the call, and proxies it to a process behind it. It ends with its parent.
process.once('message', (told: Part) => {
  void (told.part === 'gateway' ? gateway(told) : backend()).then((port) => process.send?.(port))
})
process.on('disconnect', () => process.exit())
process.on('SIGINT', () => {})

async function gateway({ backend: upstream = '', key = '', redis }: Part): Promise<number> {
  const keys = new Map([[key, { id: 'key_bench', limitPerMinute: 10_000_000 }]])
  const app = fastify()
  const store = redis === undefined ? {} : { redis: new Redis(redis) }
  app.addHook('onRequest', async (request, reply) => {
    if (!keys.has((request.headers.authorization ?? '').slice('Bearer '.length))) await reply.code(401).send({ success: false })
  })
  const keyOf = (request: { headers: { authorization?: string | undefined } }) => keys.get((request.headers.authorization ?? '').slice(7))?.id ?? 'nobody'
  await app.register(rateLimit, { max: 10_000_000, timeWindow: 60_000, keyGenerator: keyOf, ...store })
  await app.register(httpProxy, { upstream, prefix: '/auth' })
  return portIn(await app.listen({ host: '127.0.0.1', port: 0 }))
}

async function backend(): Promise<number> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(ANSWER) }).end(ANSWER)
  })
  server.keepAliveTimeout = 60_000
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

function portIn(url: string): number {
  return Number(new URL(url).port)
}
