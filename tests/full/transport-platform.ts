import { startStockPostgres } from '@dot-do/worker-data/stock-postgres'
import { startPlatform } from '@dot-do/worker-local/host/platform'
import { vi } from 'vitest'
import type { Given, Outcome, TransportUnderTest } from '../../db/tests/transport-suite.ts'
import { probe } from '../flows/probe.ts'
import { stateDirectory } from './dev-program.ts'
import { aliveOf, familyOf, killAll } from './processes.ts'
import { ROOT } from './program.ts'

/** The roles the suite speaks as, and those it finds shut out. */
const ROLES = ['db', 'auth', 'nobody', 'postgres', 'db_reader; reset role']

/** The probe, with a binding for each role; a binding's name cannot hold every role's. */
const speaker = {
  ...probe,
  bindings: Object.fromEntries(
    ROLES.map((id, index) => [
      `ROLE_${index}`,
      { service: 'db', entrypoint: 'DbService', props: { principal: { id, permissions: ['db:execute', 'db:begin'] } } },
    ]),
  ),
}

/** The whole platform on workerd, its db by one transport on one PostgreSQL, as the transport suite wants it. */
export async function platformUnderTest(databaseTransport: 'http' | 'websocket' | 'tcp', engine: 'embedded' | 'stock'): Promise<TransportUnderTest> {
  const state = await stateDirectory()
  const stock = engine === 'stock' ? await startStockPostgres() : undefined
  const platform = await startPlatform({
    root: ROOT,
    stateDir: state.dir,
    port: 0,
    extraWorkers: [speaker],
    databaseTransport,
    ...(stock && { databaseUrl: stock.url }),
  })
  const ask = async (body: object): Promise<unknown> => {
    const answer = await fetch(platform.workerUrls[speaker.name] ?? '', { method: 'POST', body: JSON.stringify(body) })
    const { value, error } = (await answer.json()) as { value?: unknown; error?: object }
    if (error) throw Object.assign(new Error(), error)
    return value
  }
  const binding = (role: string): string => `ROLE_${ROLES.indexOf(role)}`
  return {
    execute: async (role, statements, readOnly = false) => {
      const { results } = (await ask({ binding: binding(role), method: 'execute', args: [{ statements, readOnly }] })) as { results: Given[] } // what execute promises
      return results
    },
    begin: async (role, steps, input = {}) => (await ask({ binding: binding(role), method: 'begin', args: [input], steps })) as Outcome[], // what the probe tells of steps
    restart: stock ? stock.restart : () => restartEmbedded(platform.database?.url ?? ''),
    close: async () => {
      await platform.stop()
      await stock?.stop()
      await state.remove()
    },
  }
}

/** Kills the embedded database's process, which the platform then starts again on the same ports. */
async function restartEmbedded(url: string): Promise<void> {
  const children = (await familyOf(process.pid)).filter(({ command }) => command.includes('database/child'))
  killAll(children)
  await vi.waitFor(
    async () => {
      if ((await aliveOf(children)).length > 0) throw new Error('It is still there')
      await fetch(`${url}/health`)
    },
    { timeout: 120_000 },
  )
}
