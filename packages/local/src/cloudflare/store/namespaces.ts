import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { CloudflareError, invalidName, namespaceNotFound } from '../errors.ts'
import { namesIn, readIfThere, removeDurably, writeDurably } from './durable-file.ts'
import { isNamespaceName } from './names.ts'
import type { Namespace } from './script.ts'
import { Turns } from './turns.ts'

/** How many namespaces there may be: they are held in memory. */
const MOST = 1000

/** The namespaces of a store: a file each, named by an id that a rename does not change. */
export interface Namespaces {
  list(): Namespace[]
  get(name: string): Namespace | undefined
  create(name: string): Promise<Namespace>
  rename(name: string, newName: string): Promise<Namespace>
  /** Nobody finds the namespace while `mayGo` looks; when that throws, it is back. */
  remove(name: string, mayGo: (namespace: Namespace) => Promise<void>): Promise<void>
}

/** Reads the namespaces in a directory. */
export async function openNamespaces(dir: string): Promise<Namespaces> {
  const byName = new Map<string, Namespace>()
  for (const file of await namesIn(dir, { sweepDrafts: true })) {
    const text = await readIfThere(join(dir, file))
    const namespace: Namespace = JSON.parse(String(text))
    byName.set(namespace.name, namespace)
  }
  return new DirectoryNamespaces(dir, byName)
}

class DirectoryNamespaces implements Namespaces {
  readonly #dir: string
  readonly #byName: Map<string, Namespace>
  readonly #turns = new Turns()

  constructor(dir: string, byName: Map<string, Namespace>) {
    this.#dir = dir
    this.#byName = byName
  }

  list(): Namespace[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  get(name: string): Namespace | undefined {
    return this.#byName.get(name)
  }

  create(name: string): Promise<Namespace> {
    return this.#oneAtATime(async () => {
      this.#refuseTaken(name)
      if (this.#byName.size >= MOST) throw new CloudflareError(400, 100_123, `An account has at most ${MOST} dispatch namespaces`)
      const now = new Date().toISOString()
      return await this.#write({ id: randomUUID(), name, createdOn: now, modifiedOn: now })
    })
  }

  rename(name: string, newName: string): Promise<Namespace> {
    return this.#oneAtATime(async () => {
      const namespace = this.#existing(name)
      if (name !== newName) this.#refuseTaken(newName)
      const renamed = await this.#write({ ...namespace, name: newName, modifiedOn: new Date().toISOString() })
      if (name !== newName) this.#byName.delete(name)
      return renamed
    })
  }

  remove(name: string, mayGo: (namespace: Namespace) => Promise<void>): Promise<void> {
    return this.#oneAtATime(async () => {
      const namespace = this.#existing(name)
      this.#byName.delete(name)
      try {
        await mayGo(namespace)
        await removeDurably(join(this.#dir, namespace.id))
      } catch (error) {
        this.#byName.set(name, namespace)
        throw error
      }
    })
  }

  #oneAtATime<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#turns.run('', work)
  }

  async #write(namespace: Namespace): Promise<Namespace> {
    await writeDurably(join(this.#dir, namespace.id), JSON.stringify(namespace))
    this.#byName.set(namespace.name, namespace)
    return namespace
  }

  #existing(name: string): Namespace {
    const namespace = this.#byName.get(name)
    if (namespace === undefined) throw namespaceNotFound()
    return namespace
  }

  #refuseTaken(name: string): void {
    if (!isNamespaceName(name)) throw invalidName('dispatch namespace')
    if (this.#byName.has(name)) throw new CloudflareError(409, 100_121, `A dispatch namespace named ${name} already exists`)
  }
}
