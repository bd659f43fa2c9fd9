import { spawn } from 'node:child_process'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { acquireStateLock } from '../../src/state-lock.ts'

it('gives a directory to one holder at a time', async () => {
  const dir = await directory()
  const first = await acquireStateLock(dir)

  await expect(acquireStateLock(dir)).rejects.toThrow(`${dir} is in use by process ${process.pid}`)
  first.release()
  first.release()
  const second = await acquireStateLock(dir)

  second.release()
})

it('is free again once its holder was killed, even when the holder’s number is in use', async () => {
  const dir = await directory()
  const holder = await holderOf(dir)
  await expect(acquireStateLock(dir)).rejects.toThrow(`${dir} is in use by process ${holder.pid}`)

  holder.kill('SIGKILL')
  await new Promise((resolve) => holder.once('exit', resolve))
  await writeFile(join(dir, 'lock.pid'), String(process.pid))

  const lock = await acquireStateLock(dir)
  lock.release()
})

it('makes the directory', async () => {
  const dir = join(await directory(), 'deep/er')

  const lock = await acquireStateLock(dir)

  await expect(access(dir)).resolves.toBeUndefined()
  lock.release()
})

async function directory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'lock-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

async function holderOf(dir: string) {
  const module = join(import.meta.dirname, '../../src/state-lock.ts')
  const program = `const { acquireStateLock } = await import(${JSON.stringify(module)}); await acquireStateLock(${JSON.stringify(dir)}); console.log('held'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return child
}
