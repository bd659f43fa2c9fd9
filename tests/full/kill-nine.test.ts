import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { runDev, stateDirectory, type DevProgram } from './dev-program.ts'
import { familyOf, killAll, survivorsOf } from './processes.ts'
import { each, read, startWriters, upsert, type Target, type Write, type Writers } from './writers.ts'

let state: Awaited<ReturnType<typeof stateDirectory>>

beforeAll(async () => {
  state = await stateDirectory()
})
afterAll(() => state.remove())

async function started(): Promise<DevProgram & Target> {
  const program = runDev(state.dir)
  onTestFinished(() => program.end())
  await program.ready()
  const { url, adminKey } = await program.devFile()
  return { ...program, url, adminKey }
}

/** Clients that write things of one type; they stop with the test. */
function writing(target: Target, type: string): Writers {
  const writers = startWriters(target, type)
  onTestFinished(() => writers.stop())
  return writers
}

/** The acknowledged writes that are not there as they were acknowledged. */
async function lostOf(writes: readonly Write[], target: Target): Promise<Write[]> {
  const found = await each(writes, ({ acknowledged }) => read(target, `/db/things/${acknowledged?.$id}`))
  return writes.filter(({ acknowledged }, index) => JSON.stringify(found[index]?.data) !== JSON.stringify(acknowledged))
}

/** Sends every write again, as a client does that never got its answer: the answers, and how many things of the type there are then. */
async function retry({ sent }: Writers, target: Target, type: string): Promise<{ answers: Map<Write, unknown>; things: unknown }> {
  const answers = await each(sent, async (write) => [write, (await upsert(target, write)).data] as const)
  return { answers: new Map(answers), things: (await read(target, `/db/count?type=${type}`)).data }
}

/** The one process of a program whose command line holds these words. */
async function childOf(program: DevProgram, words: string) {
  const found = (await familyOf(program.pid)).filter(({ command }) => command.includes(words))
  expect(found).toHaveLength(1)
  return found
}

describe('kill -9', () => {
  it.each(['RoundOne', 'RoundTwo', 'RoundThree'])(
    'of everything, in the middle of writes, loses nothing that was acknowledged and repeats nothing: %s',
    async (type) => {
      const killed = await started()
      const writers = writing(killed, type)
      const moment = randomInt(50, 600)
      await writers.more(moment)
      const family = await familyOf(killed.pid)

      killAll(family)
      await writers.stop()
      const survivors = await survivorsOf(family)
      const again = await started()

      const acknowledged = writers.acknowledged()
      const lost = await lostOf(acknowledged, again)
      const { answers, things } = await retry(writers, again, type)
      expect(survivors).toEqual([])
      expect(acknowledged.length).toBeGreaterThanOrEqual(moment)
      expect(lost).toEqual([])
      expect(acknowledged.map((write) => answers.get(write))).toEqual(acknowledged.map((write) => write.acknowledged))
      expect(things).toEqual({ count: writers.sent.length })
    },
  )

  it.each([
    ['the Workers’ runtime', 'serve --binary', 'RuntimeKilled'],
    ['the database', 'database/child', 'DatabaseKilled'],
  ])('of %s alone is got over within 15 seconds without help, and loses nothing that was acknowledged', async (_name, words, type) => {
    const program = await started()
    const writers = writing(program, type)
    await writers.more(100)

    killAll(await childOf(program, words))
    const before = writers.acknowledged().length
    await vi.waitFor(() => expect(writers.acknowledged().length).toBeGreaterThan(before + 100), { timeout: 15_000 })
    await writers.stop()

    const acknowledged = writers.acknowledged()
    const lost = await lostOf(acknowledged, program)
    const { answers, things } = await retry(writers, program, type)
    expect(lost).toEqual([])
    expect(acknowledged.map((write) => answers.get(write))).toEqual(acknowledged.map((write) => write.acknowledged))
    expect(things).toEqual({ count: writers.sent.length })
    expect(writers.sent.length).toBeGreaterThan(acknowledged.length)
    await childOf(program, words)
  })
})
