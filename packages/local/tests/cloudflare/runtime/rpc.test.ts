import { beforeAll, expect, it } from 'vitest'
import { scene, type Scene } from './runtime-under-test.ts'

const CALL = `return await env.NS.get('methods').add(1, 2)`
const CALLBACK = `return await env.NS.get('methods').twice((x) => x * 10)`
const PROPERTY = `return await env.NS.get('methods').version`
const CHAIN = `return await env.NS.get('methods').counter().next()`
const ARGS = `return await env.NS.get('methods', { tenant: 'acme' }).args()`
const ABSENT_METHOD = `try { await env.NS.get('methods').nothing(); return 'ran' } catch (error) { return error.message }`
const ABSENT = `try { await env.NS.get('absent').add(1); return 'ran' } catch (error) { return error.message }`
const THROWN = `try { await env.NS.get('methods').fail(); return 'ran' } catch (error) { return [error.name, error.message] }`
const NAMELESS = `try { env.NS.get(''); return 'ran' } catch (error) { return error.message }`

const METHODS = `
import { RpcTarget, WorkerEntrypoint } from 'cloudflare:workers'
class Counter extends RpcTarget { #n = 0; next() { return ++this.#n } }
export default class extends WorkerEntrypoint {
  add(a, b) { return a + b }
  async twice(callback) { return [await callback(1), await callback(2)] }
  get version() { return 7 }
  counter() { return new Counter() }
  args() { return this.ctx.props }
  fail() { throw new RangeError('out of range') }
}`

let platform: Scene
beforeAll(async () => {
  platform = await scene({ shards: 1, bodies: [CALL, CALLBACK, PROPERTY, CHAIN, ARGS, ABSENT_METHOD, ABSENT, THROWN, NAMELESS] })
  await platform.publish('methods', METHODS)
  return platform.stop
})

it.each([
  ['calls methods', CALL, 3],
  ['passes callbacks', CALLBACK, [10, 20]],
  ['reads properties', PROPERTY, 7],
  ['calls methods of what a call will answer', CHAIN, 1],
  ['gives arguments to methods too', ARGS, { tenant: 'acme' }],
  ['passes what a method throws', THROWN, ['RangeError', 'out of range']],
  ['says that a script is absent', ABSENT, 'Worker not found.'],
  ['refuses an empty name', NAMELESS, 'A script is asked for by its name, which is a text.'],
])('%s', async (_what, body, expected) => {
  expect(await platform.run(body)).toEqual(expected)
})

it('says that a method is absent', async () => {
  expect(await platform.run(ABSENT_METHOD)).toMatch(/nothing/)
})
