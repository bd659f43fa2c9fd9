import pg from 'pg'
import { afterAll, beforeAll, describe } from 'vitest'
import { postgresEngine } from '../../src/engines/postgres.ts'
import { startStockPostgres } from '../../src/stock-postgres.ts'
import type { StockPostgres } from '../../src/stock-postgres.ts'
import { migrationsSuite } from '../migrations-suite.ts'

describe('migrations on a stock PostgreSQL', () => {
  let stock: StockPostgres
  let count = 0
  beforeAll(async () => {
    stock = await startStockPostgres()
  }, 60_000)
  afterAll(() => stock.stop())

  migrationsSuite(async () => {
    const name = `empty_${count++}`
    const server = new pg.Client({ connectionString: stock.url })
    await server.connect()
    await server.query(`create database ${name}`)
    await server.end()
    return postgresEngine({ url: stock.url.replace(/\/postgres$/, `/${name}`), passwordOf: async () => '' })
  })
})
