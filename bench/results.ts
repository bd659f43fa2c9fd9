import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, totalmem } from 'node:os'
import type { AnalyticsFigures } from './analytics.ts'
import type { BootFigures } from './boot.ts'
import type { CallFigures } from './calls.ts'
import type { ChangeFigures } from './changes.ts'
import type { CredentialFigures } from './credentials.ts'
import type { JobFigures } from './jobs.ts'
import type { MemoryFigures } from './memory.ts'
import type { OpenFigures } from './open-load.ts'
import type { PublishingFigures } from './publishing.ts'
import type { ReadFigures } from './reads.ts'
import type { SearchFigures } from './search/figures.ts'
import type { Figures } from './slices.ts'

/** Everything one run found out. */
export interface Results {
  date: string
  machine: { cpu: string; cores: number; memoryBytes: number; kernel: string; isPinned: boolean }
  versions: { node: string; workerd: string; miniflare: string; database: string }
  load: Figures[]
  /** What fastify counts in. */
  peerCounts: 'redis' | 'memory' | undefined
  calls: CallFigures
  credentials: CredentialFigures
  open: OpenFigures[]
  boot: BootFigures
  memory: MemoryFigures
  publishing: PublishingFigures
  reads: ReadFigures
  search: SearchFigures
  analytics: AnalyticsFigures
  changes: ChangeFigures
  jobs: JobFigures
  bundles: { service: string; sizeGzBytes: number; ceilingGzBytes: number | undefined }[]
}

/** The machine that was measured. */
export function machineOf(isPinned: boolean): Results['machine'] {
  const cores = cpus()
  return { cpu: cores[0]?.model ?? 'unknown', cores: cores.length, memoryBytes: totalmem(), kernel: release(), isPinned }
}

/** What ran on it. */
export function versionsOf(database: string): Results['versions'] {
  const own = createRequire(import.meta.url)
  const miniflare = own.resolve('miniflare/package.json')
  const workerd = createRequire(miniflare).resolve('workerd/package.json')
  return { node: process.versions.node, workerd: versionIn(workerd), miniflare: versionIn(miniflare), database }
}

function versionIn(packageFile: string): string {
  const { version }: { version: string } = JSON.parse(readFileSync(packageFile, 'utf8'))
  return version
}
