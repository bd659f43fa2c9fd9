import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { endOrphan } from '../../src/host/leash.ts'

it('ends the runtime that an earlier host left behind', async () => {
  const dir = await directory()
  const orphan = await running(dir, { LOCAL_WORKERD_PID_FILE: join(dir, 'workerd.pid') })

  await endOrphan(dir)

  expect(await orphan.exit).toBe('SIGKILL')
})

it('spares a process that was given the number of a runtime that is gone', async () => {
  const dir = await directory()
  const stranger = await running(dir, {})

  await endOrphan(dir)
  stranger.end()

  expect(await stranger.exit).toBe('SIGTERM')
})

async function directory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'leash-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** A process whose number is noted as that of the directory's runtime. */
async function running(dir: string, env: Record<string, string>) {
  const child = spawn(process.execPath, ['-e', "console.log('runs'); setInterval(() => {}, 1000)"], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  await writeFile(join(dir, 'workerd.pid'), `${child.pid}\n`)
  return { exit, end: () => child.kill('SIGTERM') }
}
