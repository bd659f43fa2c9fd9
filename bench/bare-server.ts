import { createServer } from 'node:http'

const THING = {
  ns: 'default',
  $id: 'bench/1',
  $type: 'Bench',
  content: 'A thing of the size that notes have, to be read again and again, number 1',
  data: { n: 1, tags: ['bench'] },
  visibility: 'private',
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
}

// The least that a process of its own can answer over HTTP: what a read of the database is compared with. It ends with its parent.
const server = createServer((_request, response) => {
  const body = JSON.stringify(THING)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.(address.port)
})
process.on('disconnect', () => process.exit())
process.on('SIGINT', () => {})
