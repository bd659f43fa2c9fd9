import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startPlatform } from '@dot-do/worker-local/host/platform'
import { Agent, request } from 'undici'
import { leaving } from './leavings.ts'
import { latencyOf, type Latency } from './statistics.ts'

/** What the change feed costs its readers. */
export interface ChangeFigures {
  /** From the answer to a write until its line is with a reader, while so many writes a second go on; a line that comes first counts as nothing. */
  lag: Latency
  writesPerSecond: number
  /** Changes a second that a reader gets who begins at the first one. */
  catchUpPerSecond: number
}

const WRITES_PER_SECOND = 50
const WRITES = 1_500
const WARM_UP = 100

interface Stage {
  url: string
  headers: Record<string, string>
  agent: Agent
}

/** Writes to a platform of its own, and reads its feed meanwhile. */
export async function measureChanges(root: string): Promise<ChangeFigures> {
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-bench-'))
  const forget = leaving(() => rm(stateDir, { recursive: true, force: true }))
  const platform = await startPlatform({ root, stateDir, port: 0 })
  const end = leaving(() => platform.stop())
  const agent = new Agent({ connections: 16 })
  try {
    const stage = { url: `http://127.0.0.1:${platform.port}`, headers: { authorization: `Bearer ${platform.admin?.adminKey}` }, agent }
    return { ...(await measureLag(stage)), catchUpPerSecond: await measureCatchUp(stage) }
  } finally {
    await agent.destroy()
    await end().finally(forget)
  }
}

async function measureLag(stage: Stage): Promise<Pick<ChangeFigures, 'lag' | 'writesPerSecond'>> {
  const received = new Map<string, number>()
  const answered = new Map<string, number>()
  const reading = readIds(stage, WRITES, (id) => received.set(id, performance.now()))
  const start = performance.now()
  const writing: Promise<void>[] = []
  for (let turn = 0; turn < WRITES; turn++) {
    await delay(Math.max(0, start + (turn * 1_000) / WRITES_PER_SECOND - performance.now()))
    writing.push(write(stage, `lag/${turn}`, answered))
  }
  await Promise.all(writing)
  const writesPerSecond = (WRITES * 1_000) / (performance.now() - start)
  await reading
  const lags = [...answered].slice(WARM_UP).map(([id, at]) => Math.max(0, (received.get(id) ?? Infinity) - at))
  return { lag: latencyOf(lags), writesPerSecond }
}

async function measureCatchUp(stage: Stage): Promise<number> {
  const start = performance.now()
  await readIds(stage, WRITES, () => undefined)
  return (WRITES * 1_000) / (performance.now() - start)
}

async function write({ url, headers, agent }: Stage, $id: string, answered: Map<string, number>): Promise<void> {
  const { statusCode, body } = await request(`${url}/db/things`, { dispatcher: agent, method: 'POST', headers, body: JSON.stringify({ $type: 'Lag', $id }) })
  const text = await body.text()
  if (statusCode !== 201) throw new Error(`POST /db/things: ${statusCode} ${text}`)
  answered.set($id, performance.now())
}

/** Reads the feed from its beginning, until it has told so many things. */
async function readIds({ url, headers, agent }: Stage, count: number, told: (id: string) => void): Promise<void> {
  const { body } = await request(`${url}/db/changes?types=Lag`, { dispatcher: agent, headers, bodyTimeout: 0 })
  let [rest, seen] = ['', 0]
  for await (const chunk of body.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const id = /^data: .*"\$id": ?"([^"]+)"/.exec(line)?.[1]
      if (id === undefined) continue
      told(id)
      seen += 1
    }
    if (seen >= count) return
  }
  throw new Error(`The feed ended after ${seen} of ${count} changes`)
}
