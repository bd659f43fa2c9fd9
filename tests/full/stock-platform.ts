import { startStockPostgres } from '@dot-do/worker-data/stock-postgres'
import type { TestProject } from 'vitest/node'
import { setupPlatform } from '../flows/platform.ts'

/** Boots the platform of the flows on a stock PostgreSQL in place of the embedded one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stock = await startStockPostgres()
  try {
    const stop = await setupPlatform(project, { databaseUrl: stock.url })
    return () => stop().finally(stock.stop)
  } catch (error) {
    await stock.stop()
    throw error
  }
}
