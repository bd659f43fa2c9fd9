import { callOf } from '@dot-do/worker-kernel/call'
import { http } from '@dot-do/worker-kernel/http'
import { mcp } from '@dot-do/worker-kernel/mcp'
import { openapi } from '@dot-do/worker-kernel/openapi'
import type { BindingProps, Principal } from '@dot-do/worker-types'
import { createStore, notes, notesService, type NotesEnv } from './notes.ts'

/** The notes with the document that `pnpm generate` would write. */
export const service = notesService((env: NotesEnv) => env.store, { openapi: '3.1.1', ...openapi(notes), 'x-tools': openapi(notes)['x-tools'] })

/** The notes' tools. */
export const tools = mcp(service)

/** A key of somebody's, with these permissions. */
export function person(id: string, permissions: string[]): Principal {
  return { id, kind: 'key', tenant: 'default', permissions }
}

/** The props of a binding, with the right to speak for others where `delegate` says so. */
export function propsOf(permissions: string[], delegate?: string[]): BindingProps {
  return { principal: { id: 'caller', permissions }, ...(delegate && { delegate: { permissions: delegate } }) }
}

/** A service's surroundings for one test: an empty store, and both of its doors. */
export function surroundings() {
  const env: NotesEnv = { store: createStore() }
  const waitUntil = (promise: Promise<unknown>): void => void promise
  const { fetch } = http(service)
  return {
    env,
    /** Asks at the door that bindings name. */
    bound: (props: unknown, path: string, init?: RequestInit) => fetch(new Request(`http://notes.do${path}`, init), { env, props, waitUntil }),
    /** Asks at the platform's door. */
    platform: (path: string, init?: RequestInit, more: object = {}) =>
      fetch(new Request(`http://notes.do${path}`, init), { env: { ...env, ...more }, waitUntil }),
    /** A call as RPC makes it. */
    call: (props: unknown, options: Parameters<typeof callOf>[2] = {}) => callOf({ env, props, waitUntil }, 'rpc', options),
  }
}
