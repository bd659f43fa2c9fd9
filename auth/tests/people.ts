import { callOf, type Call } from '@dot-do/worker-kernel/call'
import { generateId } from '@dot-do/worker-utils'
import { binding, owned } from '../../db/tests/in-process.ts'
import type { Env } from '../src/env.ts'
import { membershipsOf } from '../src/organisations/membership.ts'
import { service } from '../src/service.ts'
import type { AuthInProcess, BoundAuth } from './in-process.ts'

/** A user who has an account and is a member of nothing yet. */
export async function person(auth: AuthInProcess, email = `${generateId('someone')}@example.com`): Promise<string> {
  const id = generateId('user')
  await auth.db.database.engine.script(
    `insert into auth.users (id, email, name, created_at, last_sign_in_at) values ('${id}', '${email}', 'Somebody', now() - interval '1 hour', now())`,
  )
  return id
}

/** auth as it serves this user: with what the membership of that organisation permits, looked up now; with nothing as no member of it. */
export async function acting(auth: AuthInProcess, user: string, tenant: string): Promise<BoundAuth> {
  const membership = (await membershipsOf(user, ownCall(auth))).find(({ organisation }) => organisation.slug === tenant)
  const onBehalfOf = { id: user, kind: 'user' as const, tenant, permissions: membership?.permissions ?? [] }
  const bound = binding(service, auth.env, { principal: { id: 'gateway', permissions: [] }, delegate: { permissions: ['*'] } }) as unknown as Methods
  const methods = Object.entries(bound).map(([name, method]) => [name, (input: unknown, call?: object) => method(input, { ...call, onBehalfOf })])
  return Object.fromEntries(methods) as BoundAuth // the same methods, in the name of the user
}

/** A call of auth's own, for its domain functions. */
export function ownCall(auth: AuthInProcess): Call<Env> {
  return callOf({ env: auth.env, waitUntil: () => {} }, 'rpc', {})
}

/** An organisation with one admin; what the admin may do as a member of it. */
export async function organisation(
  auth: AuthInProcess,
  name = 'Acme',
  slug?: string,
): Promise<{ id: string; slug: string; founder: string; admin: BoundAuth }> {
  const founder = await person(auth)
  const stranger = await acting(auth, founder, 'nowhere')
  const made = await stranger.createOrganisation({ name, ...(slug === undefined ? {} : { slug }) })
  return { ...made, founder, admin: await acting(auth, founder, made.slug) }
}

/** Makes somebody a member of an organisation, as accepting an invite does. */
export async function member(auth: AuthInProcess, place: { id: string }, roles: string[], permissions: string[] = []): Promise<string> {
  const user = await person(auth)
  const list = (texts: string[]) => `array[${texts.map((text) => `'${text}'`).join(',')}]::text[]`
  await auth.db.database.engine.script(
    `insert into auth.members (organisation_id, user_id, roles, permissions, source, since)
      values ('${place.id}', '${user}', ${list(roles)}, ${list(permissions)}, 'invite', now())`,
  )
  return user
}

/** Whose access tokens are refused now. */
export async function refused(auth: AuthInProcess): Promise<string[]> {
  return (await owned(auth.db.database, 'select subject from auth.refused_tokens order by 1')).map(([subject]) => String(subject))
}

/** What was noted in the audit log, oldest first. */
export async function audited(auth: AuthInProcess): Promise<string[]> {
  return (await owned(auth.db.database, 'select action from auth.audit order by sequence')).map(([action]) => String(action))
}

type Methods = Record<string, (input: unknown, call?: object) => Promise<unknown>>
