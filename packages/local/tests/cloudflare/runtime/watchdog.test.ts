import { beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { scene, type Scene } from './runtime-under-test.ts'

const GOOD = `export default { async fetch(request) {
  if (request.url.endsWith('/slow')) await scheduler.wait(800)
  return new Response('well')
} }`
const SPIN = `export default { fetch(request) { if (request.url.endsWith('/spin')) for (;;); return new Response('calm') } }`
const METHOD = `try { await env.NS.get('method').spin(); return 'ran' } catch (error) { return error.message }`
const CPU = { name: 'Error', message: 'Worker exceeded CPU time limit.' }
const MEMORY = { name: 'Error', message: 'Worker exceeded memory limit.' }
const RESTARTED = { name: 'Error', message: "The Worker's process was restarted; the request may or may not have had its effect." }

let platform: Scene
beforeAll(async () => {
  platform = await scene({ shards: 1, cpuMs: 300, residentBytes: 400 * 2 ** 20, bodies: [METHOD] })
  return platform.stop
})

let suffix = 0
/** Publishes a script under a name of its own, so that no test inherits another's offences. */
async function published(name: string, code: string): Promise<string> {
  const own = `${name}-${++suffix}`
  await platform.publish(own, code)
  return own
}

const answer = async (path: string, init?: Parameters<Scene['get']>[1]): Promise<unknown> => {
  const response = await platform.get(path, init)
  const text = await response.text()
  return response.status === 503 ? JSON.parse(text) : text
}

let eventsBefore = 0
beforeEach(() => {
  eventsBefore = platform.events.length
})
const seen = (type: string): (string | undefined)[] =>
  platform.events
    .slice(eventsBefore)
    .filter((event) => event.type === type)
    .map(({ script }) => script)

/** Waits until a request is inside a script, as the shared process tells. */
async function inside(name: string): Promise<void> {
  await vi.waitFor(async () => {
    const scripts = (await platform.runtime.placements()).flatMap((process) => process.scripts)
    expect(scripts).toContain(`tenants/${name}`)
  })
}

it('ends a script that spins, alone and at once, and runs the others', async () => {
  const [spinner, neighbour] = [await published('spinner', SPIN), await published('neighbour', GOOD)]
  expect(await answer(`/${neighbour}`)).toBe('well')

  expect(await answer(`/${spinner}/spin`)).toEqual(CPU)

  expect(await answer(`/${neighbour}`)).toBe('well')
  expect(seen('refused')).toEqual([`tenants/${spinner}`])
  expect(seen('restarted')).toHaveLength(1)
})

it('answers a culprit without running it for a while', async () => {
  const spinner = await published('refused', SPIN)
  await answer(`/${spinner}/spin`)

  expect(await answer(`/${spinner}/calm`)).toEqual(CPU)
  await platform.publish(spinner, GOOD)
  expect(await answer(`/${spinner}/calm`)).toBe('well')
})

it("repeats a neighbour's request that was lost, and finds out who it was", async () => {
  const [spinner, neighbour] = [await published('spinner', SPIN), await published('neighbour', GOOD)]
  const waiting = answer(`/${neighbour}/slow`)
  await inside(neighbour)

  const spun = answer(`/${spinner}/spin`)

  expect(await waiting).toBe('well')
  expect(await spun).toEqual(CPU)
  expect(seen('quarantined').sort()).toEqual([`tenants/${neighbour}`, `tenants/${spinner}`])
  expect(seen('refused')).toEqual([`tenants/${spinner}`])
})

it('brings two neighbours through', async () => {
  const [spinner, left, right] = [await published('spinner', SPIN), await published('left', GOOD), await published('right', GOOD)]
  const waiting = [answer(`/${left}/slow`), answer(`/${right}/slow`)]
  await Promise.all([inside(left), inside(right)])

  expect(await answer(`/${spinner}/spin`)).toEqual(CPU)

  expect(await Promise.all(waiting)).toEqual(['well', 'well'])
  expect(seen('refused')).toEqual([`tenants/${spinner}`])
})

it('tells the limit to whoever called a method', async () => {
  await platform.publish(
    'method',
    `import { WorkerEntrypoint } from 'cloudflare:workers'; export default class extends WorkerEntrypoint { spin() { for (;;); } }`,
  )

  expect(await platform.run(METHOD)).toEqual(CPU.message)
})

it('passes on an error that reads like a lost connection', async () => {
  const worker = await published('liar', `let times = 0; export default { fetch() { throw new Error('Network connection lost. ' + ++times) } }`)

  expect(await answer(`/${worker}`)).toMatchObject({ message: 'Network connection lost. 1' })
})

it('does not repeat what may have had an effect', async () => {
  const [spinner, neighbour] = [await published('spinner', SPIN), await published('neighbour', GOOD)]
  const waiting = answer(`/${neighbour}/slow`, { method: 'POST', body: 'pay' })
  await inside(neighbour)

  await answer(`/${spinner}/spin`)

  expect(await waiting).toEqual(RESTARTED)
})

it('keeps a suspect apart from others', async () => {
  const [spinner, neighbour, third] = [await published('spinner', SPIN), await published('neighbour', GOOD), await published('third', GOOD)]
  const waiting = answer(`/${neighbour}/slow`)
  await inside(neighbour)
  await answer(`/${spinner}/spin`)
  await waiting
  await answer(`/${third}`)

  const roles = (await platform.runtime.placements()).flatMap(({ role, scripts }) => scripts.map((script) => [script, role]))

  expect(roles).toContainEqual([`tenants/${neighbour}`, 'quarantine'])
  expect(roles).toContainEqual([`tenants/${third}`, 'shared'])
})

it.each([
  ['when it is loaded', 'for (;;); export default {}'],
  [
    'in what it left to do',
    `export default { fetch(request, env, ctx) { ctx.waitUntil(scheduler.wait(50).then(() => { for (;;); })); return new Response('off') } }`,
  ],
])('ends a script that spins %s', async (_when, code) => {
  const spinner = await published('spinner', code)

  await answer(`/${spinner}`)

  await vi.waitFor(() => expect(seen('refused')).toEqual([`tenants/${spinner}`]), 5_000)
  expect(await answer(`/${spinner}`)).toEqual(CPU)
})

it('ends a script that fills its heap', async () => {
  const hog = await published('hog', `const kept = []; export default { fetch() { for (;;) kept.push(new Array(1000).fill({})) } }`)

  expect(await answer(`/${hog}`, { headers: { 'x-limits': '{"cpuMs":30000}' } })).toEqual(MEMORY)
})

it('ends a script that fills memory outside its heap', async () => {
  const code = `const kept = []; export default { async fetch() { for (;;) { kept.push(new Uint8Array(8_000_000).fill(1)); await scheduler.wait(5) } } }`
  const hog = await published('hog', code)

  expect(await answer(`/${hog}`)).toEqual(MEMORY)
})

it('takes the limit of the dispatch', async () => {
  const code = `export default { fetch() { const until = Date.now(); let n = 0; for (let i = 0; i < 4e8; i++) n += i % 7; return new Response('done') } }`
  const worker = await published('long', code)

  expect(await answer(`/${worker}`, { headers: { 'x-limits': '{"cpuMs":30000}' } })).toBe('done')
})

it('goes on when a process is killed from outside, and blames nobody', async () => {
  const neighbour = await published('neighbour', GOOD)
  const waiting = answer(`/${neighbour}/slow`)
  await inside(neighbour)

  const [shared] = (await platform.runtime.placements()).filter(({ role }) => role === 'shared')
  process.kill(shared?.pid ?? 0, 'SIGKILL')

  expect(await waiting).toBe('well')
  expect([seen('refused'), seen('quarantined')]).toEqual([[], []])
})
