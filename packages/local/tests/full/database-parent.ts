import { startEmbeddedProcess } from '../../src/database/embedded-process.ts'

// Opens the database that its arguments name, says which process has it, and stays until it is killed.
const [dir = '', folder = '', roleSecret = ''] = process.argv.slice(2)
const database = await startEmbeddedProcess({ dir, roleSecret, services: [{ name: 'notes', folder }], queryLimitMs: 600_000, onLog: () => undefined })
console.log(JSON.stringify({ pid: database.pid(), port: database.port }))
