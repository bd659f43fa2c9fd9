import { resolve } from 'node:path'
import { testDatabase, testRoleSecret } from '@dot-do/worker-data/testing'
import { startDatabaseServer } from '../../../packages/local/src/database/server.ts'

/** The database of the tests on workerd: tells its parent where it listens, and ends with it. */
const services = ['auth', 'db'].map((name) => ({ name, folder: resolve(import.meta.dirname, '../../..', name) }))
const { engine } = await testDatabase(services)
const server = await startDatabaseServer({ engine, services, roleSecret: testRoleSecret })

process.on('disconnect', () => process.exit())
process.send?.({ address: `127.0.0.1:${server.port}`, roleSecret: testRoleSecret })
