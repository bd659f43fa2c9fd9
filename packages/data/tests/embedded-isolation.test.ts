import { describe } from 'vitest'
import { embeddedEngine } from '../src/engines/embedded.ts'
import { isolationSuite } from './isolation.ts'

describe('the embedded engine', () => {
  isolationSuite(async () => {
    const engine = await embeddedEngine()
    return { engine, close: () => engine.close() }
  })
})
