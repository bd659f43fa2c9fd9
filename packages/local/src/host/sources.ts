import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { bundle, type Bundle, type BundleOptions } from './bundle.ts'
import { discoverServices, type WorkspaceService } from './workspace.ts'

interface Snapshot {
  services: WorkspaceService[]
  bundles: ReadonlyMap<string, Bundle>
}

/** The workspace's services and their bundles, as of the last refresh that succeeded; empty before the first. */
export class Sources {
  readonly #root: string
  readonly #options: BundleOptions
  #current: Snapshot = { services: [], bundles: new Map() }

  constructor(root: string, options: BundleOptions) {
    this.#root = root
    this.#options = options
  }

  get services(): WorkspaceService[] {
    return this.#current.services
  }

  get bundles(): ReadonlyMap<string, Bundle> {
    return this.#current.bundles
  }

  /**
   * Reads the workspace again and rebuilds what the changed files are part of, or everything when told no files. Answers the names of the services that differ now.
   * Fails when any service cannot be built or configured, and then changes nothing; the next refresh is to be one of everything.
   */
  async refresh(changed?: ReadonlySet<string>): Promise<string[]> {
    const services = await discoverServices(this.#root)
    const built = await all(services.filter((service) => this.#isStale(service, changed)).map((service) => this.#build(service)))
    const names = new Set(services.map(({ name }) => name))
    const bundles = new Map([...[...this.bundles].filter(([name]) => names.has(name)), ...built])
    const before = this.#current
    this.#current = { services, bundles }
    return differences(before, this.#current)
  }

  /** The folders whose files matter. */
  async folders(): Promise<string[]> {
    const inputs = [...this.bundles.values()].flatMap((bundle) => bundle.inputs).filter((input) => !input.includes('/node_modules/'))
    const top = (await readdir(this.#root, { withFileTypes: true })).filter(
      (entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules',
    )
    const migrations = this.services.map(({ folder }) => join(folder, 'migrations')).filter((folder) => existsSync(folder))
    return [...new Set([this.#root, ...top.map(({ name }) => join(this.#root, name)), ...migrations, ...inputs.map(dirname)])]
  }

  #isStale({ name, main }: WorkspaceService, changed: ReadonlySet<string> | undefined): boolean {
    const inputs = this.bundles.get(name)?.inputs
    const mainBefore = this.services.find((service) => service.name === name)?.main
    return !changed || !inputs || mainBefore !== main || inputs.some((input) => changed.has(input))
  }

  async #build(service: WorkspaceService): Promise<[string, Bundle]> {
    return [service.name, await bundle(service, this.#options)]
  }
}

/** Waits for all, then fails with all that went wrong. */
async function all<T>(promises: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises)
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (reasons.length > 0) throw new Error(reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))).join('\n\n'))
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

function differences(before: Snapshot, after: Snapshot): string[] {
  const names = new Set([...before.services, ...after.services].map(({ name }) => name))
  return [...names].filter((name) => printOf(before, name) !== printOf(after, name))
}

function printOf({ services, bundles }: Snapshot, name: string): string {
  return JSON.stringify([services.find((service) => service.name === name)?.config, bundles.get(name)?.code])
}
