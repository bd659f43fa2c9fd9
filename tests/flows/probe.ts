import type { ExtraWorker } from '@dot-do/worker-local/host/miniflare-options'

/**
 * Calls whatever binding it is told to and tells what came back, as another Worker would see it. A stream is passed on as it comes.
 * With `steps`, each a method and its arguments, it calls these on the object that came back, one after another, and tells what each gave; then it lets go of the object.
 */
const SOURCE = `
const told = (error) => ({ name: error.name, code: error.code, message: error.message, details: error.details, hasCause: error.cause !== undefined })
export default {
  async fetch(request, env) {
    const { binding, method, args, steps } = await request.json()
    try {
      if (method === 'fetch') {
        const answer = await env[binding].fetch(new Request(args[0], args[1]))
        return Response.json({ value: { status: answer.status, body: await answer.text() } })
      }
      const value = await env[binding][method](...args)
      if (value instanceof ReadableStream) return new Response(value)
      if (!steps) return Response.json({ value })
      const outcomes = []
      for (const [name, ...given] of steps) outcomes.push(await value[name](...given).then((value) => ({ value }), (error) => ({ error: told(error) })))
      value[Symbol.dispose]()
      return Response.json({ value: outcomes })
    } catch (error) {
      return Response.json({ error: told(error) })
    }
  },
}`

const ENTRYPOINTS = {
  auth: 'AuthService',
  db: 'DbService',
  deploy: 'DeployService',
  dispatcher: 'DispatcherService',
  gateway: 'GatewayService',
  mcp: 'McpService',
  queue: 'QueueService',
  schedule: 'ScheduleService',
}

/** A service's bindings as other Workers hold them: without props, with rights of its own, with the right to speak for others. */
function bindingsOf(service: keyof typeof ENTRYPOINTS): NonNullable<ExtraWorker['bindings']> {
  const entrypoint = ENTRYPOINTS[service]
  const name = service.toUpperCase()
  return {
    [`${name}_STRANGER`]: { service, entrypoint },
    [`${name}_POWERLESS`]: { service, entrypoint, props: { principal: { id: 'probe', permissions: [] } } },
    [`${name}_ADMIN`]: { service, entrypoint, props: { principal: { id: 'probe', permissions: ['*'] } } },
    [`${name}_DELEGATE`]: { service, entrypoint, props: { principal: { id: 'probe', permissions: [] }, delegate: { permissions: ['*'] } } },
    [`${name}_READING_DELEGATE`]: { service, entrypoint, props: { principal: { id: 'probe', permissions: [] }, delegate: { permissions: ['things:read'] } } },
  }
}

/** Bindings that carry another service's own principal, to try that service's database role from the outside. */
const ROLES = Object.fromEntries(
  ['auth', 'db', 'deploy', 'dispatcher', 'gateway', 'mcp', 'queue', 'schedule'].map((id) => [
    `DB_AS_${id.toUpperCase()}`,
    { service: 'db', entrypoint: 'DbService', props: { principal: { id, permissions: ['db:execute', 'db:begin'] } } },
  ]),
)

/** The Worker that flows call services through. */
export const probe: ExtraWorker = {
  name: 'probe',
  source: SOURCE,
  listens: true,
  queues: { AUTH_QUEUE: 'auth' },
  bindings: {
    ...bindingsOf('auth'),
    ...bindingsOf('db'),
    ...bindingsOf('deploy'),
    ...bindingsOf('dispatcher'),
    ...bindingsOf('gateway'),
    ...bindingsOf('mcp'),
    ...bindingsOf('queue'),
    ...bindingsOf('schedule'),
    ...ROLES,
  },
}
