import { environment, publishedWorker } from '@dot-do/worker-contracts/published'
import { detailsOf } from '@dot-do/worker-schemas'
import { ServiceError } from '@dot-do/worker-utils'
import * as z from 'zod'

const TenantProps = z.object(publishedWorker)
const SiblingProps = z.object({ ...publishedWorker, environment })

/** Whose binding it is: deploy writes it where published code cannot. */
export type TenantProps = z.output<typeof TenantProps>

/** Which worker a binding leads to. */
export type SiblingProps = z.output<typeof SiblingProps>

/** Whose binding this is. FORBIDDEN if it does not say: then deploy did not make it. */
export function tenantProps(props: unknown): TenantProps {
  return trusted(TenantProps, props)
}

/** Which worker this binding leads to. FORBIDDEN if it does not say. */
export function siblingProps(props: unknown): SiblingProps {
  return trusted(SiblingProps, props)
}

/** An argument that published code gave, in the shape it must have. INVALID, naming what is wrong, if it has another. */
export function argument<Schema extends z.ZodType>(schema: Schema, value: unknown, name: string): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const details = detailsOf(parsed.error).map(({ path, message }) => ({ path: path === '' ? name : `${name}.${path}`, message }))
  throw new ServiceError('INVALID', `${details[0]?.path ?? name}: ${details[0]?.message ?? 'does not fit'}`, { details })
}

function trusted<Schema extends z.ZodType>(schema: Schema, props: unknown): z.output<Schema> {
  const parsed = schema.safeParse(props)
  if (!parsed.success) throw new ServiceError('FORBIDDEN', 'This binding is nobody’s: it says no tenant and worker')
  return parsed.data
}
