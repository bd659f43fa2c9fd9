import { workerNotFound } from '../errors.ts'
import type { Call, Route } from './context.ts'
import { pageOf, succeed, succeedWithPage } from './envelope.ts'
import { shownScript } from './scripts.ts'
import { scriptOf } from './targets.ts'

/** Who the token is, and what wrangler looks up of an account besides scripts. */
export const accountRoutes: Route[] = [
  ['GET', '/user', user],
  ['GET', '/user/tokens/verify', verify],
  ['GET', '/accounts/:account/tokens/verify', verify],
  ['GET', '/accounts', (call) => succeedWithPage(pageOf([account(call)], call.url))],
  ['GET', '/accounts/:account', (call) => succeed(account(call))],
  ['GET', '/memberships', memberships],
  ['GET', '/accounts/:account/workers/subdomain', () => succeed({ subdomain: 'local' })],
  ['GET', '/accounts/:account/workers/standard', () => succeed({ standard: true })],
  ['GET', '/accounts/:account/workers/account-settings', () => succeed({ default_usage_model: 'standard', green_compute: false })],
  ['GET', '/accounts/:account/workers/services/:script', service],
]

function user({ context }: Call): Response {
  return succeed({ id: context.accountId, email: 'owner@localhost', username: 'owner', first_name: null, last_name: null, suspended: false })
}

function verify({ context }: Call): Response {
  return succeed({ id: context.accountId, status: 'active' })
}

function memberships(call: Call): Response {
  const membership = { id: call.context.accountId, status: 'accepted', account: account(call), roles: ['Administrator'] }
  return succeedWithPage(pageOf([membership], call.url))
}

function account({ context }: Call): object {
  return { id: context.accountId, name: 'local', type: 'standard', settings: { enforce_twofactor: false } }
}

async function service(call: Call): Promise<Response> {
  if (call.context.accountNamespace === undefined) throw workerNotFound()
  const script = await scriptOf(call)
  const environment = { environment: 'production', script: shownScript(script), created_on: script.createdOn, modified_on: script.modifiedOn }
  return succeed({ id: script.name, default_environment: environment, created_on: script.createdOn, modified_on: script.modifiedOn })
}
