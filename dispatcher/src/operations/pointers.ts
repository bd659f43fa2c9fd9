import type { Environment } from '@dot-do/worker-contracts/published'
import type { Call } from '@dot-do/worker-kernel/call'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { ownTenant } from '../own-tenant.ts'
import { forgetPointer, pointerOf, readPointer } from '../pointers.ts'
import type { Pointer } from '../pointer.ts'

interface SlotName {
  tenant: string
  worker: string
  environment: Environment
}

export const getPointer: Operations['getPointer'] = async (named, call) => {
  ownTenant(named.tenant, call)
  const { slots } = await readPointer(named, call.env)
  return { ...named, slots }
}

export const reserveVersion: Operations['reserveVersion'] = async ({ sha256, ...named }, call) => {
  ownTenant(named.tenant, call)
  return { version: await pointerOf(named, call.env).reserve(sha256) }
}

export const keepVersion: Operations['keepVersion'] = ({ tenant, worker, environment, ...version }, call) =>
  change({ tenant, worker, environment }, call, (pointer) => pointer.keep(environment, version))

export const dropVersions: Operations['dropVersions'] = ({ versions, ...name }, call) =>
  change(name, call, (pointer) => pointer.drop(name.environment, versions))

export const activate: Operations['activate'] = ({ version, ...name }, call) => change(name, call, (pointer) => pointer.activate(name.environment, version))

export const rollback: Operations['rollback'] = ({ to, attempt, ...name }, call) =>
  change(name, call, (pointer) => pointer.rollback(name.environment, attempt, to))

export const setCanary: Operations['setCanary'] = ({ tenant, worker, environment, ...wish }, call) =>
  change({ tenant, worker, environment }, call, (pointer) => pointer.setCanary(environment, wish))

export const takeDown: Operations['takeDown'] = (name, call) => change(name, call, (pointer) => pointer.takeDown(name.environment))

/** Changes what is live, and lets this isolate see it at once. */
async function change<Answer>(name: SlotName, call: Call<Env>, run: (pointer: DurableObjectStub<Pointer>) => Promise<Answer>): Promise<Answer> {
  ownTenant(name.tenant, call)
  try {
    return await run(pointerOf(name, call.env))
  } finally {
    forgetPointer(name)
  }
}
