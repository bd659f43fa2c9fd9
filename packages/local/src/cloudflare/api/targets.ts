import { type CloudflareError, invalidName, namespaceNotFound, scriptNotFound, workerNotFound } from '../errors.ts'
import { isScriptName } from '../store/names.ts'
import type { Script } from '../store/script.ts'
import type { ScriptUpdate } from '../store/store.ts'
import type { Call } from './context.ts'

/** The namespace a call is about, which need not be there. Below `/workers/scripts` it is the one that stands for the account's own Workers. */
export function namespaceOf({ params, context }: Call): string {
  const name = params['namespace'] ?? context.accountNamespace
  if (name === undefined || (params['namespace'] === undefined && context.store.getNamespace(name) === undefined)) throw workerNotFound()
  if (context.store.getNamespace(name) === undefined) throw namespaceNotFound()
  return name
}

/** The script's name in the path. */
export function scriptNameOf({ params }: Call): string {
  const name = params['script'] ?? ''
  if (!isScriptName(name)) throw invalidName('script')
  return name
}

/** The script a call is about; it has to be there. */
export async function scriptOf(call: Call): Promise<Script> {
  const script = await call.context.store.getScript(namespaceOf(call), scriptNameOf(call))
  if (script === undefined) throw missing(call)
  return script
}

/** Writes the script a call is about, which has to be there; each update counts as a version of its own. */
export async function updateTarget(call: Call, update: (current: Script) => Partial<Script>): Promise<Script> {
  const change: ScriptUpdate = (current) => {
    if (current === undefined) throw missing(call)
    return { ...current, version: newVersion(call), ...update(current) }
  }
  return await call.context.store.updateScript(namespaceOf(call), scriptNameOf(call), change)
}

/** A version as of now. */
export function newVersion({ context }: Call): Script['version'] {
  return { id: crypto.randomUUID(), createdOn: new Date(context.now()).toISOString() }
}

/** wrangler asks for different numbers in the two places. */
export function missing({ params }: Call): CloudflareError {
  return params['namespace'] === undefined ? workerNotFound() : scriptNotFound()
}
