import { hostName, tenant, type Environment } from '@dot-do/worker-contracts/published'
import { versionLabelPattern, workerNameSchema } from '@dot-do/worker-schemas'
import { isPlatformHost, productionHost } from '@dot-do/worker-utils'

/** A published worker, and what of it is meant: what is live in an environment, one version, or the newest version of a branch. */
export interface WorkerAddress {
  tenant: string
  worker: string
  environment: Environment
  /** Under the worker's own root, so without `/api/<worker>`. */
  path: string
  version?: number
  /** As a label of a host name. Of whatever environment; `environment` is `production` then, and says nothing. */
  branch?: string
}

/** Where a request leads: to a published worker, to the dispatcher's own routes, to whatever a custom domain stands for, or nowhere. */
export type Address =
  { kind: 'worker'; address: WorkerAddress } | { kind: 'own' } | { kind: 'custom'; host: string; path: string } | { kind: 'none'; host: string }

/** Labels before `.do` that are an environment's and not a worker's. */
const ZONES: Readonly<Record<string, Environment>> = { staging: 'staging', dev: 'development', internal: 'internal', tenant: 'production' }

const BRANCH = /^[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?$/

/** The dispatcher's own hosts. */
const OWN = /^dispatcher\.(?:do|apis\.do|services\.do)$/

/** Reads where a request leads from its host and path. `suffix` is what follows a production host name here; a port is of no account. */
export function addressOf(asked: string, path: string, suffix: string): Address {
  const full = productionHost(asked, suffix)
  if (isPlatformHost(full)) return byPath(path)
  const host = full.replace(/:\d+$/, '').replace(/\.$/, '')
  if (OWN.test(host)) return { kind: 'own' }
  if (!host.endsWith('.do')) return hostName.safeParse(host).success ? { kind: 'custom', host, path } : { kind: 'none', host }
  const named = byLabels(host.slice(0, -'.do'.length).split('.'))
  return named ? { kind: 'worker', address: { ...named, path } } : { kind: 'none', host }
}

function byPath(path: string): Address {
  const [, worker, rest = ''] = /^\/api\/([^/]+)(\/.*)?$/.exec(path) ?? []
  if (worker === undefined || !isWorker(worker)) return { kind: 'own' }
  return { kind: 'worker', address: { tenant: 'default', worker, environment: 'production', path: rest || '/' } }
}

type Named = Omit<WorkerAddress, 'path'>

function byLabels(labels: string[]): Named | undefined {
  const zone = labels.at(-1) ?? ''
  if (labels.length > 1 && zone === 'preview') return branchOf(labels.slice(0, -1))
  const environment = labels.length > 1 && Object.hasOwn(ZONES, zone) ? ZONES[zone] : undefined
  const { version, rest } = versionOf(environment ? labels.slice(0, -1) : labels)
  // Every tenant's production has its name in front and `tenant` behind; without a zone there are only the platform's own workers.
  if (rest.length > (environment ? 2 : 1) || (zone === 'tenant' && rest.length !== 2)) return undefined
  const named = ownerOf(rest)
  return named && { ...named, environment: environment ?? 'production', ...(version !== undefined && { version }) }
}

function branchOf([branch = '', ...rest]: string[]): Named | undefined {
  if (!BRANCH.test(branch) || versionLabelPattern.test(branch)) return undefined
  const named = ownerOf(rest)
  return named && { ...named, environment: 'production', branch }
}

function versionOf(labels: string[]): { version?: number; rest: string[] } {
  const [first = '', ...rest] = labels
  return versionLabelPattern.test(first) ? { version: Number(first.slice(1)), rest } : { rest: labels }
}

/** `hello`, or `acme.hello`. */
function ownerOf(labels: string[]): Pick<Named, 'tenant' | 'worker'> | undefined {
  const [worker = '', owner = 'default', ...further] = labels.toReversed()
  return further.length === 0 && isWorker(worker) && tenant.safeParse(owner).success ? { tenant: owner, worker } : undefined
}

function isWorker(name: string): boolean {
  return workerNameSchema.safeParse(name).success
}
