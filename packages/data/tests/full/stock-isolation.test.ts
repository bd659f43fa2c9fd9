import { describe } from 'vitest'
import { postgresEngine } from '../../src/engines/postgres.ts'
import { rolePassword } from '../../src/role-password.ts'
import { startStockPostgres } from '../../src/stock-postgres.ts'
import { isolationSuite, roleSecret } from '../isolation.ts'

describe('a stock PostgreSQL', () => {
  isolationSuite(async () => {
    const stock = await startStockPostgres()
    const engine = postgresEngine({ url: stock.url, passwordOf: (role) => rolePassword(roleSecret, role), poolSize: 1 })
    return {
      engine,
      close: async () => {
        await engine.close()
        await stock.stop()
      },
    }
  })
})
