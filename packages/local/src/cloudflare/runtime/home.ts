import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { workerdPath } from './workerd-path.ts'

/**
 * Has the Miniflare that this process starts next listen on a debug port, and tells where, as `host:port`. It is what `home` is to be.
 * For programs that have no start script of their own for workerd: it sets MINIFLARE_WORKERD_PATH.
 */
export async function prepareHome(): Promise<string> {
  const home = `127.0.0.1:${await freePort()}`
  process.env['MINIFLARE_WORKERD_PATH'] = fileURLToPath(new URL('home.sh', import.meta.url))
  process.env['HOME_WORKERD'] = workerdPath()
  process.env['HOME_DEBUG_PORT'] = home
  return home
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
