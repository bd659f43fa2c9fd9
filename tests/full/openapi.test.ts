import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stateDirectory } from './dev-program.ts'
import { internet } from '../flows/internet.ts'
import { IDENTITY_STEPS } from './openapi-identity.ts'
import { PUBLISHING_STEPS } from './openapi-publishing.ts'
import { WORK_STEPS } from './openapi-work.ts'
import { bootPlatform, type BootedPlatform } from './platform.ts'
import { ROOT, runProgram } from './program.ts'

let platform: BootedPlatform
let folder: Awaited<ReturnType<typeof stateDirectory>>
let document: { paths: Record<string, Record<string, { operationId: string }>> }

beforeAll(async () => {
  platform = await bootPlatform({ extraWorkers: [internet], internet: internet.name })
  folder = await stateDirectory()
  const text = await (await fetch(`${platform.url}/openapi.json`)).text()
  document = JSON.parse(text) as typeof document
  await writeFile(join(folder.dir, 'openapi.json'), text)
})
afterAll(async () => {
  await platform.stop()
  await folder.remove()
})

/** One request of an operation, and the status it must have; whether its answer is as documented, Redocly says. */
export interface Step {
  operation: string
  status: number
  /** Path and query parameters; `$steps.…` takes what an earlier step was answered. */
  parameters?: Record<string, unknown>
  body?: unknown
  /** Asks as nobody. */
  stranger?: true
  /** Keeps the id that is there in its answer, for later steps. */
  keeps?: string
}

const NOTE = { $type: 'Note', $id: 'note', content: 'Hi', data: { tags: ['a'], nested: { number: 1.5, none: null } } }
const made = { id: '$steps.auth-createKey-1.outputs.id' }

/** Every operation at least once as it should be used, and refusals of each kind. */
const STEPS: Step[] = [
  { operation: 'db_upsert', status: 201, body: NOTE },
  { operation: 'db_upsert', status: 200, body: { ...NOTE, content: 'Again', ifVersion: 1 } },
  { operation: 'db_upsert', status: 409, body: { ...NOTE, ifVersion: 1 } },
  { operation: 'db_upsert', status: 400, body: { $type: '1' } },
  { operation: 'db_upsert', status: 413, body: { $type: 'Note', content: 'x'.repeat(1_100_000) } },
  { operation: 'db_update', status: 200, parameters: { id: 'note' }, body: { content: 'Changed' } },
  { operation: 'db_update', status: 404, parameters: { id: 'no-such' }, body: { content: 'Changed' } },
  { operation: 'db_batch', status: 200, body: { commands: [{ operation: 'upsert', input: { $type: 'Note', $id: 'other' } }] } },
  { operation: 'db_batch', status: 404, body: { commands: [{ operation: 'delete', input: { id: 'no-such' } }] } },
  { operation: 'db_get', status: 200, parameters: { id: 'note' } },
  { operation: 'db_get', status: 404, parameters: { id: 'no-such' } },
  { operation: 'db_get', status: 401, parameters: { id: 'note' }, stranger: true },
  { operation: 'db_list', status: 200 },
  { operation: 'db_list', status: 200, parameters: { limit: 1, type: 'Note' } },
  { operation: 'db_list', status: 400, parameters: { limit: 0 } },
  { operation: 'db_count', status: 200, parameters: { type: 'Note' } },
  { operation: 'db_history', status: 200, parameters: { id: 'note', limit: 2 } },
  { operation: 'db_stats', status: 200 },
  { operation: 'db_list', status: 200, parameters: { id: 'o*::Note', filter: '{"field":"data.tags","op":"exists","value":false}' } },
  { operation: 'db_list', status: 400, parameters: { filter: '{"field":"data.tags","op":"like","value":1}' } },
  { operation: 'db_get', status: 200, parameters: { id: 'note@1' } },
  { operation: 'db_getAt', status: 404, parameters: { id: 'note', at: '2020-01-01T00:00:00Z' } },
  { operation: 'db_getAt', status: 200, parameters: { id: 'note', at: '2099-01-01T00:00:00+02:00' } },
  { operation: 'db_types', status: 200, parameters: { limit: 1 } },
  { operation: 'db_recent', status: 200, parameters: { limit: 1 } },
  { operation: 'db_activity', status: 200, parameters: { days: 2 } },
  { operation: 'db_relate', status: 201, body: { from: 'note', predicate: 'mentions', to: 'other', data: { weight: 1 } } },
  { operation: 'db_relate', status: 200, body: { from: 'note', predicate: 'mentions', to: 'other', data: { weight: 2 }, ifVersion: 1 } },
  { operation: 'db_relate', status: 404, body: { from: 'note', predicate: 'mentions', to: 'no-such' } },
  { operation: 'db_relationships', status: 200, parameters: { from: 'note', depth: 5 } },
  { operation: 'db_relationships', status: 400, parameters: { from: 'note', depth: 50 } },
  { operation: 'db_incoming', status: 200, parameters: { to: 'other', predicate: 'mentions' } },
  { operation: 'db_unrelate', status: 200, parameters: { from: 'note', predicate: 'mentions', to: 'other', ifVersion: 2 } },
  { operation: 'db_search', status: 200, parameters: { q: 'changed', mode: 'hybrid', explain: true } },
  { operation: 'db_search', status: 200, parameters: { q: 'changed', mode: 'fullText', type: 'Note' } },
  { operation: 'db_search', status: 400, parameters: { mode: 'vector', embedding: 1 } },
  { operation: 'db_embed', status: 200, body: { id: 'note' } },
  {
    operation: 'db_import',
    status: 200,
    body: {
      lines: [
        { $type: 'Note', $id: 'imported' },
        { from: 'imported', predicate: 'mentions', to: 'note' },
      ],
    },
  },
  { operation: 'db_import', status: 400, body: { lines: [{ $type: 'Note' }] } },
  { operation: 'db_generateMissingEmbeddings', status: 200, body: { limit: 10 } },
  { operation: 'db_purgeDeleted', status: 200 },
  { operation: 'db_track', status: 200, body: { events: [{ type: 'signup', data: { plan: 'free' } }] } },
  { operation: 'db_track', status: 400, body: { events: [{ type: '1' }] } },
  { operation: 'db_analyze', status: 200, parameters: { report: 'requests', interval: 'minute' } },
  { operation: 'db_analyze', status: 400, parameters: { report: 'gossip' } },
  { operation: 'db_delete', status: 200, parameters: { id: 'other', ifVersion: 1 } },
  { operation: 'db_restore', status: 200, parameters: { id: 'other' }, body: {} },
  { operation: 'db_health', status: 200, stranger: true },
  {
    operation: 'auth_createKey',
    status: 201,
    keeps: '/data/id',
    body: { name: 'reader', permissions: ['things:read'], expiresInDays: 3, allowedAddresses: ['10.0.0.0/8', '::1'] },
  },
  { operation: 'auth_createKey', status: 400, body: { name: '' } },
  { operation: 'auth_listKeys', status: 200, parameters: { limit: 1, includeRevoked: true } },
  { operation: 'auth_getKey', status: 200, parameters: made },
  { operation: 'auth_rotateKey', status: 201, parameters: made, body: { graceSeconds: 60 } },
  { operation: 'auth_rotateKey', status: 409, parameters: made, body: {} },
  { operation: 'auth_revokeKey', status: 200, parameters: made },
  { operation: 'auth_listRoles', status: 200 },
  { operation: 'auth_can', status: 200, parameters: { permission: 'deployments:create', service: 'blog' } },
  { operation: 'auth_listAudit', status: 200, parameters: { limit: 2 } },
  { operation: 'auth_verifyAudit', status: 200 },
  { operation: 'auth_health', status: 200 },
  { operation: 'gateway_health', status: 200 },
  { operation: 'gateway_about', status: 200 },
  { operation: 'gateway_routes', status: 200, parameters: { explain: '/db/things', method: 'POST' } },
  { operation: 'gateway_routes', status: 401, stranger: true },
  { operation: 'mcp_health', status: 200 },
  ...IDENTITY_STEPS,
  ...PUBLISHING_STEPS,
  ...WORK_STEPS,
]

/** Where each operation stands in the document. */
function placesOf({ paths }: typeof document): Map<string, { path: string; method: string }> {
  return new Map(Object.entries(paths).flatMap(([path, item]) => Object.entries(item).map(([method, { operationId }]) => [operationId, { path, method }])))
}

/** The steps as an Arazzo document (https://spec.openapis.org/arazzo/v1.0.1.html), which is Redocly's input. */
function arazzo(steps: Step[]): object {
  const places = placesOf(document)
  const counts = new Map<string, number>()
  return {
    arazzo: '1.0.1',
    info: { title: 'Every operation', version: '1.0.0' },
    sourceDescriptions: [{ name: 'platform', type: 'openapi', url: 'openapi.json' }],
    workflows: [
      {
        workflowId: 'operations',
        inputs: { type: 'object', properties: { key: { type: 'string', format: 'password' } } },
        steps: steps.map(({ operation, status, parameters = {}, body, stranger, keeps }) => {
          const { path, method } = places.get(operation) ?? { path: '', method: '' }
          const count = (counts.get(operation) ?? 0) + 1
          counts.set(operation, count)
          return {
            stepId: `${operation.replace('_', '-')}-${count}`,
            operationPath: `{$sourceDescriptions.platform.url}#/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/${method}`,
            parameters: [
              ...(stranger ? [] : [{ in: 'header', name: 'Authorization', value: 'Bearer {$inputs.key}' }]),
              ...Object.entries(parameters).map(([name, value]) => ({ in: path.includes(`{${name}}`) ? 'path' : 'query', name, value })),
            ],
            ...(body === undefined ? {} : { requestBody: { contentType: 'application/json', payload: body } }),
            successCriteria: [{ condition: `$statusCode == ${status}` }],
            ...(keeps === undefined ? {} : { outputs: { id: `$response.body#${keeps}` } }),
          }
        }),
      },
    ],
  }
}

/** What of Redocly's account is read. */
interface Account {
  files: Record<string, { executedWorkflows: { executedSteps: { stepId: string; checks: { name: string; passed: boolean; message: string }[] }[] }[] }>
}

/** What Redocly must have looked at in each answer. */
const CHECKS = ['status code check', 'content-type check', 'schema check']

/** Asks the live platform step by step; what Redocly found of each. */
async function respect(steps: Step[]): Promise<{ stepId: string; failed: string[]; checks: string[] }[]> {
  const [workflows, account] = [join(folder.dir, 'steps.arazzo.json'), join(folder.dir, 'account.json')]
  await writeFile(workflows, JSON.stringify(arazzo(steps)))
  const inputs = { REDOCLY_CLI_RESPECT_INPUT: `key=${platform.adminKey}` }
  const { stdout, stderr } = await runProgram('redocly', ['respect', workflows, '--server', `platform=${platform.url}`, '--json-output', account], inputs)
  const text = await readFile(account, 'utf8').catch(() => Promise.reject(new Error(`redocly gave no account: ${stdout}${stderr}`)))
  const { files } = JSON.parse(text) as Account
  return Object.values(files)
    .flatMap(({ executedWorkflows }) => executedWorkflows.flatMap(({ executedSteps }) => executedSteps))
    .map(({ stepId, checks }) => ({
      stepId,
      checks: checks.map(({ name }) => name),
      failed: checks.filter(({ passed }) => !passed).map(({ name, message }) => `${name}: ${message}`),
    }))
}

describe('the OpenAPI documents', () => {
  it('keep every recommended rule of Redocly: each service’s, and the merged one as it is served', async () => {
    const own = (await readdir(join(ROOT, 'docs/openapi'))).map((file) => join('docs/openapi', file))

    const { code, stdout, stderr } = await runProgram('redocly', ['lint', '--config', 'redocly.yaml', ...own, join(folder.dir, 'openapi.json')])

    expect({ code, output: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, output: '' })
  })

  it('describe what every operation really answers, also when it refuses', async () => {
    const found = await respect(STEPS)

    expect([...new Set(STEPS.map(({ operation }) => operation))].sort()).toEqual([...placesOf(document).keys()].sort())
    expect(found.filter(({ failed }) => failed.length > 0)).toEqual([])
    expect(found).toHaveLength(STEPS.length)
    expect(found.filter(({ checks }) => !CHECKS.every((name) => checks.includes(name)))).toEqual([])
  })
})
