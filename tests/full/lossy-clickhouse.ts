import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { openAnalytics, type ClickHouseAccess } from '@dot-do/worker-local/analytics/open'
import { applyAnalyticsSchema } from '@dot-do/worker-data/analytics-schema'
import { join } from 'node:path'
import { ROOT } from './program.ts'

/** A ClickHouse over a network that is not always there. */
export interface LossyClickHouse extends ClickHouseAccess {
  /** What becomes of inserts from now on: they are answered; written, and the answer lost; or not let through, as nothing else is then. */
  network: 'up' | 'loses answers' | 'down'
  /** The tokens of the inserts that were written, in their order. */
  tokens: string[]
  close(): Promise<void>
}

/** Opens one, with the platform's tables. */
export async function openLossyClickHouse(dir: string): Promise<LossyClickHouse> {
  const opened = await openAnalytics({ dir, password: 'the password of tests' })
  await applyAnalyticsSchema(opened.owner, join(ROOT, 'db/analytics'))
  const { user, password } = opened
  const server = createServer(async (request, answer) => {
    if (lossy.network === 'down') return request.socket.destroy()
    const url = new URL(request.url ?? '', opened.url)
    const headers = { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password }
    const { status, text } = await fetch(url, { method: 'POST', headers, body: await buffer(request) }).then(async (own) => ({
      status: own.status,
      text: await own.text(),
    }))
    const token = url.searchParams.get('insert_deduplication_token')
    if (token !== null) lossy.tokens.push(token)
    if (token !== null && lossy.network === 'loses answers') request.socket.destroy()
    else answer.writeHead(status).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a server that listens on a port has an address
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await opened.close()
  }
  const lossy: LossyClickHouse = { url: `http://127.0.0.1:${port}${new URL(opened.url).pathname}`, user, password, network: 'up', tokens: [], close }
  return lossy
}
