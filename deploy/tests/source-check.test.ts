import { describe, expect, it } from 'vitest'
import { checkSources } from '../src/source-check.ts'

function check(text: string): void {
  checkSources([{ name: 'index.js', type: 'esm', bytes: new Uint8Array(new TextEncoder().encode(text)), sha256: '', path: 'script' }], 'index.js')
}

describe('a handler', () => {
  it.each([
    'export default { fetch() {} }',
    'export default { async fetch(request, env) {} }',
    'const fetch = () => {}; export default { fetch }',
    `export default { 'fetch': () => {} }`,
    'const worker = { fetch() {} }; export default worker',
    'const worker = { fetch() {} }; export { worker as default }',
    'export default makeWorker(); function makeWorker() { return { fetch() {} } }',
    'const a = {}; export default { ...a }',
    `import app from 'node:events'; export default app`,
    `export { default } from 'node:events'`,
    `import { WorkerEntrypoint } from 'cloudflare:workers'; export default class extends WorkerEntrypoint {}`,
    `import { WorkerEntrypoint } from 'cloudflare:workers'; export class Api extends WorkerEntrypoint {}`,
    `import { WorkerEntrypoint } from 'cloudflare:workers'; var Api = class extends WorkerEntrypoint {}; export { Api }`,
  ])('is found in %s', (text) => {
    expect(() => check(text)).not.toThrow()
  })

  it.each([
    '',
    'export const a = 1',
    'const fetch = () => {}',
    'export function fetch() {}',
    'export default {}',
    'export default 1',
    'export default () => {}',
    'export default function fetch() {}',
    'export default { get() {} }',
    'export default { scheduled() {} }',
    'class A {} export { A }',
    'const worker = { get() {} }; export default worker',
  ])('is missed in %s', (text) => {
    expect(() => check(text)).toThrow(/has no handler/)
  })
})

describe('syntax', () => {
  it.each([
    ['in a function’s body', 'export default { fetch() {\n  const a = 1; const a = 2\n} }', 'line 2, column 22'],
    ['two names alike at the top', 'function a() {}\nlet a', 'line 2, column 5'],
    ['an export of nothing', 'export { nothing }', 'line 1, column 10'],
    ['TypeScript', 'const a: number = 1', 'line 1, column 8'],
  ])('is refused with its place: %s', (_what, text, place) => {
    expect(() => check(text)).toThrow(place)
  })

  it('is checked in a bundle with tens of thousands of functions', () => {
    const functions = Array.from({ length: 30_000 }, (_, index) => `function f${index}(a) { return a + ${index} }`)

    expect(() => check([...functions, 'export default { fetch: f1 }'].join('\n'))).not.toThrow()
  })
})
