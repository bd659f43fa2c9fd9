import { createHash, randomUUID } from 'node:crypto'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { CloudflareError, invalidName, namespaceNotFound, scriptNotFound } from '../errors.ts'
import { Blobs } from './blobs.ts'
import { makePrivateDirectory, namesIn, readIfThere, removeDurably, writeDurably } from './durable-file.ts'
import { isScriptName } from './names.ts'
import { openNamespaces, type Namespaces } from './namespaces.ts'
import type { Blob, Change, Namespace, Script, ScriptContent } from './script.ts'
import { Turns } from './turns.ts'

/** Hears of a write before its caller does. A listener that fails fails that caller, whose write stays. It must not write the same script. */
export type ChangeListener = (change: Change) => Promise<void>

/** Makes a script's next content from what it is now; to throw is to change nothing. */
export type ScriptUpdate = (current: Script | undefined) => ScriptContent | Promise<ScriptContent>

/** Namespaces and their scripts, in a directory. What a method has answered survives `kill -9`; what it has not is there wholly or not at all. */
export interface Store {
  /** All namespaces, by name. */
  listNamespaces(): Namespace[]
  /** Undefined when there is none of that name. */
  getNamespace(name: string): Namespace | undefined
  /** Fails when the name is taken. */
  createNamespace(name: string): Promise<Namespace>
  /** Its scripts stay, under the new name; listeners hear each leave the old one and enter the new one. */
  renameNamespace(name: string, newName: string): Promise<Namespace>
  /** Fails while scripts are in it. */
  deleteNamespace(name: string): Promise<void>
  /** The scripts of a namespace, by name. */
  listScripts(namespace: string): Promise<Script[]>
  /** How many scripts a namespace has. */
  countScripts(namespace: string): Promise<number>
  /** Undefined when the namespace or the script is not there. */
  getScript(namespace: string, name: string): Promise<Script | undefined>
  /** Writes a script, made from what it was. Updates of one script take turns. */
  updateScript(namespace: string, name: string, update: ScriptUpdate): Promise<Script>
  /** Fails when it is not there. */
  deleteScript(namespace: string, name: string): Promise<void>
  /** Keeps bytes that a script is going to name; those that none names are gone at the next open. */
  writeBlob(bytes: Uint8Array): Promise<Blob>
  /** The bytes of a module or an asset. */
  readBlob(blob: { sha256: string }): Promise<Buffer>
  /** Calls the listener at every change, until the function it answers is called. */
  onChange(listener: ChangeListener): () => void
}

/** Opens the state in a directory, which is made when absent, and removes what no script names. One process at a time may have it open: taking a lock is the caller's part. */
export async function openStore(dir: string): Promise<Store> {
  for (const folder of ['', 'namespaces', 'scripts', 'blobs']) await makePrivateDirectory(join(dir, folder))
  await chmod(dir, 0o700)
  const store = new DirectoryStore(dir, await openNamespaces(join(dir, 'namespaces')))
  await store.sweep()
  return store
}

class DirectoryStore implements Store {
  readonly #scripts: string
  readonly #blobs: Blobs
  readonly #namespaces: Namespaces
  readonly #turns = new Turns()
  readonly #listeners = new Set<ChangeListener>()

  constructor(dir: string, namespaces: Namespaces) {
    this.#scripts = join(dir, 'scripts')
    this.#blobs = new Blobs(join(dir, 'blobs'))
    this.#namespaces = namespaces
  }

  listNamespaces(): Namespace[] {
    return this.#namespaces.list()
  }

  getNamespace(name: string): Namespace | undefined {
    return this.#namespaces.get(name)
  }

  async createNamespace(name: string): Promise<Namespace> {
    return await this.#namespaces.create(name)
  }

  async renameNamespace(name: string, newName: string): Promise<Namespace> {
    const renamed = await this.#namespaces.rename(name, newName)
    if (name === newName) return renamed
    for (const script of await this.#namesOf(renamed)) {
      await this.#turns.run(`${renamed.id}/${script}`, async () => {
        await this.#tell({ namespace: name, name: script, kind: 'delete' })
        await this.#tell({ namespace: newName, name: script, kind: 'put' })
      })
    }
    return renamed
  }

  async deleteNamespace(name: string): Promise<void> {
    await this.#namespaces.remove(name, async (namespace) => {
      await this.#turns.settled(`${namespace.id}/`)
      if ((await this.#namesOf(namespace)).length === 0) return
      throw new CloudflareError(400, 100_122, `The dispatch namespace ${name} still has scripts; delete them first`)
    })
  }

  async listScripts(name: string): Promise<Script[]> {
    const namespace = this.#existing(name)
    const scripts = []
    for (const script of await this.#namesOf(namespace)) scripts.push(await this.#read(namespace, script))
    return scripts.filter((script) => script !== undefined)
  }

  async countScripts(name: string): Promise<number> {
    return (await this.#namesOf(this.#existing(name))).length
  }

  async getScript(namespace: string, name: string): Promise<Script | undefined> {
    const found = this.getNamespace(namespace)
    return found && (await this.#read(found, name))
  }

  async updateScript(namespaceName: string, name: string, update: ScriptUpdate): Promise<Script> {
    const { id } = this.#existing(namespaceName)
    return await this.#turns.run(`${id}/${name}`, async () => {
      const namespace = this.#byId(id)
      const current = await this.#read(namespace, name)
      const script = nextScript(await update(current), { current, namespace: namespace.name, name })
      await makePrivateDirectory(join(this.#scripts, id))
      await writeDurably(this.#fileOf(namespace, name), JSON.stringify(script))
      await this.#tell({ namespace: namespace.name, name, kind: 'put' })
      return script
    })
  }

  async deleteScript(namespaceName: string, name: string): Promise<void> {
    const { id } = this.#existing(namespaceName)
    await this.#turns.run(`${id}/${name}`, async () => {
      const namespace = this.#byId(id)
      if ((await this.#read(namespace, name)) === undefined) throw scriptNotFound()
      await removeDurably(this.#fileOf(namespace, name))
      await this.#tell({ namespace: namespace.name, name, kind: 'delete' })
    })
  }

  async writeBlob(bytes: Uint8Array): Promise<Blob> {
    return await this.#blobs.write(bytes)
  }

  async readBlob({ sha256 }: { sha256: string }): Promise<Buffer> {
    return await this.#blobs.read(sha256)
  }

  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Removes drafts, and bytes that no script names. */
  async sweep(): Promise<void> {
    const wanted = new Set<string>()
    for (const folder of await namesIn(this.#scripts)) await namesIn(join(this.#scripts, folder), { sweepDrafts: true })
    for (const { name } of this.listNamespaces()) {
      for (const script of await this.listScripts(name)) for (const { sha256 } of blobsOf(script)) wanted.add(sha256)
    }
    await this.#blobs.sweep(wanted)
  }

  #existing(name: string): Namespace {
    const namespace = this.getNamespace(name)
    if (namespace === undefined) throw namespaceNotFound()
    return namespace
  }

  #byId(id: string): Namespace {
    const namespace = this.listNamespaces().find((one) => one.id === id)
    if (namespace === undefined) throw namespaceNotFound()
    return namespace
  }

  async #namesOf({ id }: Namespace): Promise<string[]> {
    await makePrivateDirectory(join(this.#scripts, id))
    return await namesIn(join(this.#scripts, id))
  }

  async #read(namespace: Namespace, name: string): Promise<Script | undefined> {
    const text = isScriptName(name) ? await readIfThere(this.#fileOf(namespace, name)) : undefined
    return text && { ...JSON.parse(text.toString()), namespace: namespace.name }
  }

  /** A file is called as its script, so nothing else may be its name. */
  #fileOf({ id }: Namespace, name: string): string {
    if (!isScriptName(name)) throw invalidName('script')
    return join(this.#scripts, id, name)
  }

  async #tell(change: Change): Promise<void> {
    for (const listener of this.#listeners) await listener(change)
  }
}

function nextScript(content: ScriptContent, { current, namespace, name }: { current: Script | undefined; namespace: string; name: string }): Script {
  const now = new Date().toISOString()
  return {
    ...content,
    namespace,
    name,
    id: current?.id ?? randomUUID().replaceAll('-', ''),
    etag: etagOf(content),
    createdOn: current?.createdOn ?? now,
    modifiedOn: now,
  }
}

function etagOf({ mainModule, modules }: ScriptContent): string {
  const code = modules.map(({ name, type, sha256 }) => [name, type, sha256])
  return createHash('sha256')
    .update(JSON.stringify([mainModule, code]))
    .digest('hex')
}

function blobsOf({ modules, assets }: Script): Blob[] {
  return [...modules, ...Object.values(assets?.manifest ?? {})]
}
