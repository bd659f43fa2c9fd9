import * as z from 'zod'
import { namespaceNotFound } from '../errors.ts'
import type { Namespace } from '../store/script.ts'
import { readJson } from './body.ts'
import type { Call, Route } from './context.ts'
import { pageOf, succeed, succeedWithPage } from './envelope.ts'

const ALL = '/accounts/:account/workers/dispatch/namespaces'
const ONE = `${ALL}/:namespace`

const Named = z.object({ name: z.string() })

/** Dispatch namespaces. */
export const namespaceRoutes: Route[] = [
  ['GET', ALL, list],
  ['POST', ALL, create],
  ['GET', ONE, get],
  ['PUT', ONE, rename],
  ['PATCH', ONE, rename],
  ['DELETE', ONE, remove],
]

async function list({ url, context }: Call): Promise<Response> {
  const { items, resultInfo } = pageOf(context.store.listNamespaces(), url)
  return succeedWithPage({ items: await Promise.all(items.map((namespace) => shown(namespace, context))), resultInfo })
}

async function create({ request, context }: Call): Promise<Response> {
  const { name } = await readJson(request, Named)
  return succeed(await shown(await context.store.createNamespace(name), context))
}

async function get({ params, context }: Call): Promise<Response> {
  const namespace = context.store.getNamespace(params['namespace'] ?? '')
  if (namespace === undefined) throw namespaceNotFound()
  return succeed(await shown(namespace, context))
}

async function rename({ request, params, context }: Call): Promise<Response> {
  const { name } = await readJson(request, Named)
  return succeed(await shown(await context.store.renameNamespace(params['namespace'] ?? '', name), context))
}

async function remove({ params, context }: Call): Promise<Response> {
  await context.store.deleteNamespace(params['namespace'] ?? '')
  return succeed(null)
}

async function shown({ id, name, createdOn, modifiedOn }: Namespace, { store, accountId }: Call['context']): Promise<object> {
  return {
    namespace_id: id,
    namespace_name: name,
    created_on: createdOn,
    created_by: accountId,
    modified_on: modifiedOn,
    modified_by: accountId,
    script_count: await store.countScripts(name),
    trusted_workers: false,
  }
}
