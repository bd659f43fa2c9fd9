import { migrate } from '@dot-do/worker-data/migrations'
import { testRoleSecret } from '@dot-do/worker-data/testing'
import { database } from '@dot-do/worker-data/database'
import { generateId } from '@dot-do/worker-utils'
import { getTableConfig } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { storePending, type Attempt, type DeploymentRow } from '../src/attempt.ts'
import { deployments, scripts, secrets, versions } from '../src/tables.ts'
import { awaitTurn } from '../src/turns.ts'
import { startDeploy, type DeployInProcess } from './in-process.ts'

let deploy: DeployInProcess

beforeAll(async () => {
  deploy = await startDeploy()
})
beforeEach(() => deploy.db.database.reset())
afterAll(() => deploy.close())

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function attempt(change: Partial<DeploymentRow> = {}): Attempt {
  const place = { tenant: 'default', service: 'hello', environment: 'production' as const }
  const none = { tier: null, version: null, formerVersion: null, finishedAt: null, error: null, metadata: {} }
  const row = {
    id: generateId('dep'),
    ...place,
    ...none,
    action: 'deploy' as const,
    status: 'pending' as const,
    actor: 'key_1',
    createdAt: new Date().toISOString(),
  }
  return { row: { ...row, ...change }, stage: 'begun' }
}

async function stored(change: Partial<DeploymentRow> = {}): Promise<Attempt> {
  const made = attempt(change)
  await storePending(made, deploy.call)
  return made
}

describe('deploy’s tables', () => {
  it.each([
    ['versions', versions],
    ['deployments', deployments],
    ['scripts', scripts],
    ['secrets', secrets],
  ])('are in PostgreSQL as Drizzle has them: %s', async (name, table) => {
    const sql = `select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute where attrelid = 'deploy.${name}'::regclass and attnum > 0 and not attisdropped order by attname`
    const columns = getTableConfig(table).columns.map((column) => [column.name, column.getSQLType(), column.notNull ? 't' : 'f'])

    expect(columns.sort()).toEqual(await owned(deploy.db.database, sql))
  })

  it('are left alone by a second migration', async () => {
    expect(await migrate(deploy.db.database.engine, deploy.db.services, { roleSecret: testRoleSecret })).toEqual({ applied: [] })
  })

  it('keep deploy from changing a version', async () => {
    await expect(deploy.db.database.execute('deploy')([{ sql: `update deploy.versions set sha256 = ''`, params: [] }])).rejects.toMatchObject({ code: '42501' })
  })
})

describe('deployments', () => {
  it('are listed newest first, a page at a time', async () => {
    const made = []
    for (const day of ['01', '02', '03']) made.push((await stored({ createdAt: `2026-11-${day}T00:00:00.000Z`, version: Number(day) })).row.id)
    const asker = deploy.as('someone', ['deployments:read'])

    const first = await asker.listDeployments({ service: 'hello', limit: 2 })
    const second = await asker.listDeployments({ service: 'hello', limit: 2, cursor: first.nextCursor ?? '' })

    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(made.toReversed())
    expect(second.nextCursor).toBeNull()
  })

  it('of other tenants are not there', async () => {
    const { row } = await stored({ tenant: 'acme' })
    const rival = deploy.as('rival', ['deployments:read'], 'rival')
    const admin = deploy.as('admin', ['*'])

    await expect(rival.getDeployment({ id: row.id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(rival.listDeployments({ tenant: 'acme' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await rival.listDeployments({})).items).toEqual([])
    expect(await admin.getDeployment({ id: row.id })).toMatchObject({ tenant: 'acme', url: 'http://acme.hello.tenant.do.localhost:8787/' })
  })

  it('that are pending for more than ten minutes were interrupted', async () => {
    const { row } = await stored({ createdAt: new Date(Date.now() - 601_000).toISOString() })

    expect(await deploy.as('someone', ['*']).getDeployment({ id: row.id })).toMatchObject({ status: 'failed', error: 'Interrupted; repeat it' })
  })

  it('that are repeated end the one that was interrupted', async () => {
    const { row: interrupted } = await stored({ version: 3 })
    const { row: repeated } = await stored({ version: 3 })
    const asker = deploy.as('someone', ['*'])

    expect(await asker.getDeployment({ id: interrupted.id })).toMatchObject({ status: 'failed', error: `Interrupted; ${repeated.id} repeats it` })
    expect(await asker.getDeployment({ id: repeated.id })).toMatchObject({ status: 'pending', previewUrl: 'http://v3.hello.do.localhost:8787/' })
  })
})

describe('the turn of a deployment', () => {
  it('comes when those before it have ended', async () => {
    const [first, second] = [await stored({ version: 1 }), await stored({ version: 2 })]
    const ended: string[] = []

    const waiting = awaitTurn(second, deploy.call).then(() => ended.push('second'))
    await awaitTurn(first, deploy.call)
    ended.push('first')
    await database(deploy.call).update(deployments).set({ status: 'failed' })
    await waiting

    expect(ended).toEqual(['first', 'second'])
  })

  it('is gone when a later one is live', async () => {
    const first = await stored({ version: 1 })
    const { row: later } = await stored({ version: 2, status: 'live' })

    await expect(awaitTurn(first, deploy.call)).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining(later.id) as string })
  })

  it('does not wait for other places', async () => {
    for (const other of [{ service: 'other' }, { tenant: 'acme' }, { environment: 'staging' as const }]) await stored({ version: 1, ...other })

    await expect(awaitTurn(await stored({ version: 2 }), deploy.call)).resolves.toBeUndefined()
  })
})

describe('the audit log', () => {
  it('has what was wrong with a deployment, and nothing else happened', async () => {
    const asker = deploy.as('key_1', ['deployments:create'])

    const refused = asker.deploy({ service: 'hello', script: base64('export const a = 1'), metadata: { commit: 'c0ffee' } })

    await expect(refused).rejects.toMatchObject({ code: 'INVALID', message: expect.stringContaining('has no handler') as string })
    expect((await deploy.auth.listAudit({})).items).toMatchObject([
      {
        actor: 'key_1',
        action: 'deploy.deploy',
        subject: 'hello',
        tenant: 'default',
        detail: { outcome: 'INVALID', commit: 'c0ffee', environment: 'production' },
      },
    ])
    expect(await asker.getDeployment({ id: generateId('dep') }).catch(({ code }: { code: string }) => code)).toBe('FORBIDDEN')
    expect((await deploy.as('admin', ['*']).listDeployments({})).items).toEqual([])
  })

  it('has who was refused for want of a permission, and which', async () => {
    const asker = deploy.as('key_2', ['deployments:create@another'])

    await expect(asker.rollback({ service: 'hello' })).rejects.toMatchObject({ code: 'FORBIDDEN' })

    expect((await deploy.auth.listAudit({})).items).toMatchObject([
      {
        actor: 'key_2',
        action: 'deploy.rollback',
        detail: { outcome: 'FORBIDDEN', reason: 'This needs the permission deployments:create@hello/production/default' },
      },
    ])
  })

  it.each([
    ['deploy', (tenant: string) => ({ service: 'hello', tenant, script: base64('') })],
    ['unpublish', (tenant: string) => ({ service: 'hello', tenant })],
  ] as const)('has who reached for another tenant’s workers: %s', async (operation, input) => {
    const rival = deploy.as('key_3', ['deployments:create', 'deployments:delete'], 'rival')

    await expect(rival[operation](input('acme'))).rejects.toMatchObject({ code: 'FORBIDDEN', details: [{ path: 'tenant' }] })

    expect((await deploy.auth.listAudit({})).items).toMatchObject([{ actor: 'key_3', tenant: 'acme', detail: { outcome: 'FORBIDDEN' } }])
  })
})
