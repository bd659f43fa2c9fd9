import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { eventLog, get, started, workspace } from './platform-under-test.ts'

it('runs a changed source soon after it was saved, and rebuilds only the services it is part of', async () => {
  const root = await workspace()
  const log = eventLog()
  const platform = await started({ root, watch: true, onEvent: log.onEvent })
  expect(await get(platform, '/version')).toBe('first')

  await writeFile(join(root, 'gateway/src/version.ts'), "export const version = 'second'\n")
  const reloaded = await log.next((event) => event.type === 'reloaded')

  expect(reloaded).toMatchObject({ services: ['gateway'] })
  expect(await get(platform, '/version')).toBe('second')
})

it('keeps the old code while the new does not build, shows the line at fault, and goes on once it is mended', async () => {
  const root = await workspace()
  const log = eventLog()
  const platform = await started({ root, watch: true, onEvent: log.onEvent })

  await writeFile(join(root, 'gateway/src/version.ts'), 'export const version = = broken\n')
  const refused = await log.next((event) => event.type === 'refused')
  const meanwhile = await get(platform, '/version')
  await writeFile(join(root, 'gateway/src/version.ts'), "export const version = 'mended'\n")
  await log.next((event) => event.type === 'reloaded')

  expect(refused).toMatchObject({ message: expect.stringContaining('gateway/src/version.ts:1:24') })
  expect(meanwhile).toBe('first')
  expect(await get(platform, '/version')).toBe('mended')
})

it('takes over a changed wrangler.jsonc, and keeps stored data', async () => {
  const root = await workspace()
  const platform = await started({ root })
  await get(platform, '/count')
  const file = join(root, 'gateway/wrangler.jsonc')

  await writeFile(file, (await readFile(file, 'utf8')).replace('"hello"', '"welcome"'))
  const services = await platform.reload(new Set([file]))

  expect(services).toEqual(['gateway'])
  expect(JSON.parse(await get(platform, '/env'))).toMatchObject({ greeting: 'welcome' })
  expect(await get(platform, '/count')).toBe('2')
})

it('builds what was saved beside a broken file, once that is mended', async () => {
  const root = await workspace()
  const platform = await started({ root })
  const version = join(root, 'gateway/src/version.ts')
  const notes = join(root, 'notes/src/index.js')
  const working = await readFile(notes, 'utf8')

  await writeFile(version, "export const version = 'second'\n")
  await writeFile(notes, 'export broken')
  await expect(platform.reload(new Set([version, notes]))).rejects.toThrow('notes/src/index.js:1:8')
  await writeFile(notes, working)
  await platform.reload(new Set([notes]))

  expect(await get(platform, '/version')).toBe('second')
})

it('refuses a cron that is none, and goes on once it is mended', async () => {
  const root = await workspace()
  const platform = await started({ root })
  const file = join(root, 'notes/wrangler.jsonc')
  const working = await readFile(file, 'utf8')

  await writeFile(file, working.replace('*/5', '*/61'))
  await expect(platform.reload(new Set([file]))).rejects.toThrow('notes/wrangler.jsonc: triggers.crons: ')
  await writeFile(file, working)

  expect(await platform.reload(new Set([file]))).toEqual(['notes'])
})

it('joins a service that appears, and lets go of one that is removed', async () => {
  const root = await workspace()
  const log = eventLog()
  const platform = await started({ root, watch: true, onEvent: log.onEvent })
  const added = log.next((event) => event.type === 'reloaded' && event.services.includes('later'))

  await mkdir(join(root, 'later'))
  await cp(join(root, 'auth/src'), join(root, 'later/src'), { recursive: true })
  await writeFile(join(root, 'later/wrangler.jsonc'), '{ "name": "later", "main": "src/index.js", "compatibility_date": "2026-11-01" }')
  await added
  const status = (await (await platform.worker('later')).fetch('http://later/')).status
  await rm(join(root, 'later'), { recursive: true })
  await platform.reload()

  expect(status).toBe(404)
  await expect(platform.worker('later')).rejects.toThrow('later')
})
