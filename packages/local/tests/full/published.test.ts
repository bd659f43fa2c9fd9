import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { scene, type Scene } from '../cloudflare/runtime/runtime-under-test.ts'

let platform: Scene
beforeAll(async () => {
  platform = await scene({ shards: 1 })
  return platform.stop
})

it('leaves no process behind when the program that started them is killed', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'published-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const script = fileURLToPath(new URL('./published-parent.ts', import.meta.url))
  const parent = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(parent.stdout), 'line')
  const pids: number[] = JSON.parse(String(line))
  expect(pids.filter(isAlive)).toHaveLength(3)

  parent.kill('SIGKILL')

  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), 120_000)
})

it('gives back the memory of scripts that nobody asks for', async () => {
  const code = `const kept = new Uint8Array(4_000_000).fill(1); export default { fetch: () => new Response(String(kept.length)) }`
  const names = Array.from({ length: 60 }, (_, index) => `idle-${index}`)
  for (const name of names) {
    await platform.publish(name, code)
    await platform.get(`/${name}`)
  }
  const full = await residentBytes()
  expect(full).toBeGreaterThan(240_000_000)

  await vi.waitFor(async () => expect(await residentBytes()).toBeLessThan(full - 120_000_000), { timeout: 180_000, interval: 500 })
})

async function residentBytes(): Promise<number> {
  const [shared] = (await platform.runtime.placements()).filter(({ role }) => role === 'shared')
  const statm = await readFile(`/proc/${shared?.pid ?? 0}/statm`, 'utf8')
  return Number(statm.split(' ')[1]) * 4_096
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
