import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measuredBundles } from '../scripts/checks/bundles.ts'
import { measureAnalytics } from './analytics.ts'
import { measureBoot } from './boot.ts'
import { measureCalls } from './calls.ts'
import { measureChanges } from './changes.ts'
import { measureCredentials } from './credentials.ts'
import { measureJobs } from './jobs.ts'
import { measureMemory } from './memory.ts'
import { measureOpenLoad } from './open-load.ts'
import { clearOnSignals } from './leavings.ts'
import { machineOf, versionsOf, type Results } from './results.ts'
import { measurePublishing } from './publishing.ts'
import { measureReads } from './reads.ts'
import { measureSearch } from './search/measure.ts'
import { figuresOf, measureRounds, type Extent } from './slices.ts'
import { openStage, type Stage, type TargetName } from './stage.ts'
import { tableOf } from './table.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const RESULTS = fileURLToPath(new URL('results.json', import.meta.url))

/** Parts that bring a platform of their own. */
const ALONE = ['bundles', 'boot', 'memory', 'publishing', 'reads', 'search', 'analytics', 'changes', 'jobs'] as const
const PARTS = [...ALONE, 'load', 'calls', 'open', 'credentials'] as const
const REFERENCES: TargetName[] = ['hello', 'hop', 'rpc-hop', 'fastify']
const CANDIDATES: TargetName[] = ['gateway no-op', 'gateway no-op leased', 'gateway no-op jwt', 'thing read', 'thing write']

const USAGE = `pnpm bench: measures what this repository claims about speed and size

  --rounds N    how often each target has its turn (6)
  --seconds N   how long a turn lasts (1)
  --only NAME   one part (${PARTS.join(', ')}) or one target (${CANDIDATES.join(', ')}); prints and writes no file
  --help        this text
`

clearOnSignals()
await main()

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '6' }, seconds: { type: 'string', default: '1' }, only: { type: 'string' }, help: { type: 'boolean' } },
  })
  const extent = { rounds: Number(values.rounds), seconds: Number(values.seconds) }
  const isExtent = Number.isInteger(extent.rounds) && extent.rounds >= 1 && extent.rounds <= 100 && extent.seconds > 0 && extent.seconds <= 60
  const isKnown = values.only === undefined || [...PARTS, ...CANDIDATES].some((name) => name === values.only)
  if (values.help || !isExtent || !isKnown) {
    process.stdout.write(USAGE)
    process.exit(values.help ? 0 : 2)
  }
  const results = await measure(extent, values.only)
  process.stdout.write(`\n${tableOf(results)}\n`)
  if (values.only === undefined) await writeFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`)
}

async function measure(extent: Extent, only: string | undefined): Promise<Partial<Results>> {
  const isAsked = (part: (typeof PARTS)[number]) => only === undefined || only === part
  const results: Partial<Results> = { date: new Date().toISOString() }
  if (isAsked('bundles'))
    results.bundles = (await measuredBundles(ROOT)).map(({ service, sizeGzBytes, ceilingGzBytes }) => ({ service, sizeGzBytes, ceilingGzBytes }))
  if (isAsked('boot')) results.boot = await told('boot', () => measureBoot(ROOT))
  if (isAsked('memory')) results.memory = await told('memory', () => measureMemory(ROOT, ['gateway no-op', 'thing read', 'thing write']))
  if (isAsked('publishing')) results.publishing = await told('publishing', () => measurePublishing(ROOT))
  if (isAsked('reads')) results.reads = await told('reads', () => measureReads(ROOT, extent))
  if (isAsked('search')) results.search = await told('search', () => measureSearch(ROOT))
  if (isAsked('analytics')) results.analytics = await told('analytics', () => measureAnalytics(ROOT))
  if (isAsked('changes')) results.changes = await told('changes', () => measureChanges(ROOT))
  if (isAsked('jobs')) results.jobs = await told('jobs', () => measureJobs(ROOT))
  if (ALONE.some((part) => part === only)) return results
  const stage = await told('platform', () => openStage(ROOT, { hasPeer: true }))
  try {
    results.machine = machineOf(stage.isPinned)
    results.versions = versionsOf(stage.engine)
    results.peerCounts = stage.peerCounts
    const candidates = CANDIDATES.filter((name) => only === undefined || only === 'load' || only === name)
    if (candidates.length > 0) results.load = await told('load', () => measureTargets(stage, [...REFERENCES, ...candidates], extent))
    if (isAsked('calls')) results.calls = await told('calls', () => measureCalls(stage, extent))
    if (isAsked('credentials')) results.credentials = await told('credentials', () => measureCredentials(stage))
    if (isAsked('open')) results.open = await told('open load', () => measureOpen(stage))
    return results
  } finally {
    await stage.stop()
  }
}

async function measureTargets(stage: Stage, names: TargetName[], extent: Extent): Promise<Results['load']> {
  const rounds = await measureRounds(stage, names, extent)
  return names.map((name) => figuresOf(rounds, name))
}

async function measureOpen(stage: Stage): Promise<Results['open']> {
  return [await measureOpenLoad(stage, 'hello'), await measureOpenLoad(stage, 'gateway no-op leased'), await measureOpenLoad(stage, 'thing read')]
}

async function told<T>(part: string, run: () => Promise<T>): Promise<T> {
  process.stderr.write(`${part} …`)
  const start = performance.now()
  const result = await run()
  process.stderr.write(` ${((performance.now() - start) / 1000).toFixed(0)} s\n`)
  return result
}
