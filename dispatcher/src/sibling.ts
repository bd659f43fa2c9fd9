import { ServiceError } from '@dot-do/worker-utils'
import type { Call } from '@dot-do/worker-kernel/call'
import type { Env } from './env.ts'
import { scriptOf } from './namespaces.ts'
import { knownPointer } from './pointers.ts'
import { slotOf } from './pointer-state.ts'
import { remade, withoutPlatforms } from './published-http.ts'
import type { SiblingProps } from './tenant-props.ts'
import { knownSettings } from './tenant-settings.ts'

/** So many workers may hand a request on to each other. */
const MAX_DEPTH = 8

/** So many calls may be under way to one sibling in one isolate: workers that call each other in a circle without handing the request on end here. */
const MAX_UNDER_WAY = 256

/** Tells how often a request was handed on (RFC 8586). Published code hands it on with the request, and cannot gain by leaving it out: see MAX_UNDER_WAY. */
const LOOP_HEADER = 'CDN-Loop'
const LOOP_NAME = 'dot-do'

/** Calls under way by sibling; a name is here only while there are any. */
const underWay = new Map<string, number>()

/** Hands a request on to the live version of a sibling. */
export async function fetchSibling(request: Request, props: SiblingProps, call: Call<Env>): Promise<Response> {
  const { url, method, body } = request
  const headers = withoutPlatforms(request.headers)
  const loops = headers.get(LOOP_HEADER)
  const depth = loops?.split(',').filter((each) => each.trim() === LOOP_NAME).length ?? 0
  if (depth >= MAX_DEPTH) throw new ServiceError('FORBIDDEN', `Workers handed this request on ${MAX_DEPTH} times already; ${props.worker} is not asked again`)
  headers.set(LOOP_HEADER, loops === null ? LOOP_NAME : `${loops}, ${LOOP_NAME}`)
  const inner = new Request(url, { method, headers, body, redirect: 'manual' })
  return counted(props, async () => {
    const answer = await (await liveScript(props, call)).fetch(inner)
    return remade(answer, withoutPlatforms(answer.headers))
  })
}

/** Calls a method of the live version of a sibling. */
export async function callSibling(method: string, args: unknown[], { props, call }: { props: SiblingProps; call: Call<Env> }): Promise<unknown> {
  return counted(props, async () => {
    const script = (await liveScript(props, call)) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>> // a stub has every method until it is called
    return await script[method]?.(...args)
  })
}

async function liveScript({ environment, ...named }: SiblingProps, call: Call<Env>): Promise<Fetcher> {
  const { live, versions } = slotOf(await knownPointer(named, call), environment)
  const kept = versions.find(({ version }) => version === live)
  if (!kept) throw new ServiceError('NOT_FOUND', `${named.worker} is not live in ${environment}`)
  return scriptOf(kept, { ...named, settings: await knownSettings(named.tenant, call) }, call.env)
}

async function counted<Answer>({ tenant, worker, environment }: SiblingProps, run: () => Promise<Answer>): Promise<Answer> {
  const name = `${tenant}/${worker}/${environment}`
  const before = underWay.get(name) ?? 0
  if (before >= MAX_UNDER_WAY)
    throw new ServiceError('UNAVAILABLE', `${MAX_UNDER_WAY} calls to ${worker} are under way; do workers call each other in a circle?`)
  underWay.set(name, before + 1)
  try {
    return await run()
  } finally {
    const now = (underWay.get(name) ?? 1) - 1
    if (now > 0) underWay.set(name, now)
    else underWay.delete(name)
  }
}
