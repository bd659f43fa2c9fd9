import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startPlatform } from '../../src/host/platform.ts'
import { started, workspace } from './platform-under-test.ts'

it('refuses a state directory that is in use, and names the process that has it', async () => {
  const root = await workspace()
  await started({ root })

  const second = startPlatform({ root, stateDir: '.local', port: 0 })

  await expect(second).rejects.toThrow(`${join(root, '.local')} is in use by process ${process.pid}`)
})

it('refuses a port that is taken, and leaves the state directory free', async () => {
  const root = await workspace()
  const port = await takenPort()

  const start = startPlatform({ root, stateDir: '.local', port })

  await expect(start).rejects.toThrow(`Port ${port} is taken by another program; choose another with --port`)
  await started({ root })
})

it('refuses to start what does not build, and leaves the state directory free', async () => {
  const root = await workspace()
  await writeFile(join(root, 'gateway/src/version.ts'), 'export const version = = broken\n')

  const start = startPlatform({ root, stateDir: '.local', port: 0 })

  await expect(start).rejects.toThrow('gateway/src/version.ts:1:24')
  await writeFile(join(root, 'gateway/src/version.ts'), "export const version = 'mended'\n")
  await started({ root })
})

it('refuses to start a Worker that fails when it is loaded, and says what it said', async () => {
  const root = await workspace()
  await writeFile(join(root, 'gateway/src/version.ts'), "throw new Error('not today')\nexport const version = ''\n")

  const start = startPlatform({ root, stateDir: '.local', port: 0 })

  await expect(start).rejects.toThrow('not today')
})

async function takenPort(): Promise<number> {
  const server = createServer()
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('A server that listens has an address')
  return address.port
}
