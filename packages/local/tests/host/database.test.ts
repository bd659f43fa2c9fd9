import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { eventLog, started, workspace } from './platform-under-test.ts'

const DB = `export default { fetch: async (request, env) => Response.json({ url: env.DATABASE_URL, status: (await env.DATABASE.fetch('http://database.localhost/')).status }) }`

it('opens the database for a workspace with a db service, binds it to that, and applies migrations as they come', async () => {
  const root = await workspace()
  await mkdir(join(root, 'db/migrations'), { recursive: true })
  await writeFile(join(root, 'db/wrangler.jsonc'), '{ "name": "db", "main": "index.js", "compatibility_date": "2026-11-01" }')
  await writeFile(join(root, 'db/index.js'), DB)
  await writeFile(join(root, 'db/migrations/0001_first.sql'), 'create table first (id text primary key);')
  const log = eventLog()
  const platform = await started({ root, watch: true, onEvent: log.onEvent })
  const answer = await (await platform.worker('db')).fetch('http://db/')

  await writeFile(join(root, 'db/migrations/0002_second.sql'), 'create table second (id text primary key);')
  await log.next((event) => event.type === 'notice' && event.message.includes('0002_second'))
  await writeFile(join(root, 'db/migrations/0001_first.sql'), 'create table other (id text primary key);')
  const refused = await log.next((event) => event.type === 'refused')

  expect(platform.database).toMatchObject({ engine: 'embedded', url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) })
  expect(await answer.json()).toEqual({ url: expect.stringMatching(/^postgres:\/\/127\.0\.0\.1:\d+\/platform$/), status: expect.any(Number) })
  expect(refused).toMatchObject({ message: expect.stringContaining('0001_first') })
})
