import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { runDev, stateDirectory, type DevProgram } from './dev-program.ts'
import { familyOf, killAll, survivorsOf } from './processes.ts'
import { post, publish, visit, type Publishing } from './published.ts'

let state: Awaited<ReturnType<typeof stateDirectory>>

beforeAll(async () => {
  state = await stateDirectory()
})
afterAll(() => state.remove())

async function started(): Promise<DevProgram & Publishing> {
  const program = runDev(state.dir)
  onTestFinished(() => program.end())
  await program.ready()
  const { url, adminKey } = await program.devFile()
  return { ...program, url, adminKey }
}

const says = (text: string) => `export default { fetch: () => new Response('${text}') }`

it.each(['one', 'two', 'three'])(
  'a kill -9 in the middle of a deployment leaves the old or the new version, and repeating it succeeds: round %s',
  async (round) => {
    const name = `kill-${round}`
    const killed = await started()
    expect(await publish(killed, name, says('old'))).toMatchObject({ status: 201 })

    const interrupted = publish(killed, name, says('new')).catch(() => undefined)
    // Where in the deployment it falls is left to chance, over as long as one takes.
    await delay(randomInt(0, 250))
    const family = await familyOf(killed.pid)
    killAll(family)
    await interrupted
    expect(await survivorsOf(family)).toEqual([])
    const again = await started()

    expect(['old', 'new']).toContain((await visit(again, `${name}.do`)).text)
    expect(await publish(again, name, says('new'))).toMatchObject({ status: 201, data: { version: 2 } })
    expect((await visit(again, `${name}.do`)).text).toBe('new')
    expect((await visit(again, `v1.${name}.do`)).text).toBe('old')
    expect(await post(again, '/deploy/rollback', { service: name })).toMatchObject({ status: 200, data: { version: 1 } })
  },
)
