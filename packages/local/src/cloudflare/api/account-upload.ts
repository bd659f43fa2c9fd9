import * as z from 'zod'
import { CloudflareError, invalidUpload } from '../errors.ts'
import type { Account } from '../store/account.ts'
import type { ScriptUpdate } from '../store/store.ts'
import { accountBindings, leadsToAccount } from './account-bindings.ts'
import { check, parseJson, readForm } from './body.ts'
import type { Call } from './context.ts'
import { receiveUpload } from './upload.ts'

const Bindings = z.looseObject({
  bindings: z
    .array(z.looseObject({ name: z.string(), type: z.string() }))
    .max(1000)
    .optional(),
})

/** The account; its routes are there only where it is. */
export function accountOf({ context }: Call): Account {
  if (context.account === undefined) throw new CloudflareError(404, 7003, 'There is no account here')
  return context.account
}

/** Reads and checks an upload that may also be bound to what the account has. */
export async function receiveWorker(call: Call): Promise<ScriptUpdate> {
  const { request, bound } = await withoutAccountBindings(call)
  const bindings = await accountBindings(call, accountOf(call), bound)
  const update = await receiveUpload({ ...call, request })
  return async (current) => {
    const content = await update(current)
    const own = content.bindings.filter((binding) => !bindings.some((other) => other.name === binding.name))
    return { ...content, bindings: [...own, ...bindings] }
  }
}

/** The upload without the bindings that only an account can judge, and those. */
async function withoutAccountBindings(call: Call): Promise<{ request: Request; bound: Record<string, unknown>[] }> {
  const form = await readForm(call.request)
  const part = form.get('metadata')
  if (part === null) throw invalidUpload('The upload has no part named metadata')
  const metadata = check(parseJson(typeof part === 'string' ? part : await part.text(), 'metadata'), Bindings)
  const sent = metadata.bindings ?? []
  const names = sent.map((binding) => binding.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new CloudflareError(400, 10_053, `Binding name '${twice}' already in use. Please use a different name and try again.`)
  form.set('metadata', JSON.stringify({ ...metadata, bindings: sent.filter((binding) => !leadsToAccount(binding)) }))
  return { request: new Request(call.request.url, { method: 'PUT', body: form }), bound: sent.filter(leadsToAccount) }
}
