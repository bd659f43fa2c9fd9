import * as z from 'zod'

/** The name Miniflare knows the plugin by. */
export const PLUGIN = 'local-dispatch-namespace'

const MODULE = 'local-dispatch-namespace:binding'
const CONTROL_SERVICE = 'local-dispatch-namespace:control'

const Options = z.object({
  namespace: z.string(),
  outbound: z.object({ worker: z.string(), parameters: z.array(z.string()) }).nullable(),
  control: z.object({ address: z.string(), token: z.string() }),
  code: z.string(),
})

const Binding = z.object({ dev: z.object({ plugin: z.object({ name: z.literal(PLUGIN) }), options: Options }) })

interface WorkerOptions {
  config: { env?: Record<string, unknown> }
}

/** What Miniflare asks a plugin for: bindings of workerd, services they need, modules inside workerd. */
const plugin = {
  bindingTypeDescription: 'Dispatch namespace',

  getBindings(options: WorkerOptions): Promise<object[]> {
    const bindings = bindingsOf(options).map(([name, { namespace, outbound }]) => ({
      name,
      wrapped: {
        moduleName: MODULE,
        entrypoint: 'dispatchNamespace',
        innerBindings: [
          // A field without a value: that it is set is all.
          { name: 'DEBUG_PORT', workerdDebugPort: true },
          { name: 'CONTROL', service: { name: CONTROL_SERVICE } },
          { name: 'NAMESPACE', text: namespace },
          { name: 'OUTBOUND', json: JSON.stringify(outbound) },
        ],
      },
    }))
    return Promise.resolve(bindings)
  },

  getNodeBindings: (options: WorkerOptions): object => Object.fromEntries(bindingsOf(options).map(([name]) => [name, undefined])),

  getServices({ options }: { options: WorkerOptions }): Promise<object[]> {
    const [first] = bindingsOf(options)
    if (!first) return Promise.resolve([])
    const { address, token } = first[1].control
    const injectRequestHeaders = [{ name: 'authorization', value: `Bearer ${token}` }]
    return Promise.resolve([{ name: CONTROL_SERVICE, external: { address, http: { injectRequestHeaders } } }])
  },

  getExtensions({ options }: { options: WorkerOptions[] }): object[] {
    const [first] = options.flatMap(bindingsOf)
    return first ? [{ modules: [{ name: MODULE, esModule: first[1].code, internal: true }] }] : []
  },
}

/** The plugins of this module, as Miniflare looks for them. */
export const plugins = { [PLUGIN]: plugin }

function bindingsOf({ config }: WorkerOptions): [string, z.infer<typeof Options>][] {
  return Object.entries(config.env ?? {}).flatMap(([name, binding]) => {
    const parsed = Binding.safeParse(binding)
    return parsed.success ? [[name, parsed.data.dev.options]] : []
  })
}
