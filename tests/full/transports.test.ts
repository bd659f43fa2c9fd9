import { describe } from 'vitest'
import { transportSuite } from '../../db/tests/transport-suite.ts'
import { platformUnderTest } from './transport-platform.ts'

// The embedded PostgreSQL over HTTP is what everything else runs on.
describe.each([
  ['websocket', 'embedded'],
  ['tcp', 'embedded'],
  ['http', 'stock'],
  ['websocket', 'stock'],
  ['tcp', 'stock'],
] as const)('over %s, on the %s PostgreSQL, in workerd', (transport, engine) => {
  transportSuite(() => platformUnderTest(transport, engine), { isConcurrent: engine === 'stock' })
})
