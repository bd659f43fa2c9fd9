import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { openStore } from '../../src/cloudflare/store/store.ts'

const WRITER = fileURLToPath(new URL('./cloudflare-store-writer.ts', import.meta.url))

/** Runs the writer until it has answered so many writes, kills it, and tells the last one it answered. */
async function writeUntilKilled(dir: string, writes: number): Promise<number> {
  const writer = spawn(process.execPath, [WRITER, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  let last = -1
  createInterface(writer.stdout).on('line', (line) => {
    last = Number(line)
    if (last === writes) writer.kill('SIGKILL')
  })
  await once(writer, 'close')
  return last
}

it('loses no answered write and leaves nothing half-written when it is killed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cloudflare-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))

  for (const writes of [3, 17, 40, 71, 98]) {
    const last = await writeUntilKilled(dir, writes)
    const store = await openStore(dir)

    const scripts = await store.listScripts('tenants')
    const newest = Math.max(...scripts.map(({ tags }) => Number(tags[0])))
    expect(last).toBeGreaterThanOrEqual(writes)
    expect(newest).toBeGreaterThanOrEqual(last)
    for (const { tags, modules } of scripts) {
      for (const module of modules) expect(String(await store.readBlob(module)).trim()).toBe(`export default ${tags[0]}`)
    }
  }
})
