/** What a process that hosts published scripts is made of. */
export interface HostSettings {
  /** Where the Node side answers, as `host:port`, and the token it asks for. */
  control: { address: string; token: string }
  /** The debug port of the platform's process. */
  home: string
  maxResident: number
}

/** Memory of one isolate, as on Cloudflare (https://developers.cloudflare.com/workers/platform/limits/#memory). Not for size: that doubles the time a script takes to load. */
const V8_FLAGS = ['--max-heap-size=128']

/** Writes the configuration of the hosting Worker for workerd; the module `host.js` is to lie beside it. Debug port and control socket get ports of the system's choice. */
export function hostConfig({ control, home, maxResident }: HostSettings): string {
  const authorization = `[(name = "authorization", value = ${quoted(`Bearer ${control.token}`)})]`
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${V8_FLAGS.map(quoted).join(', ')}],
  services = [
    (name = "host", worker = .host),
    (name = "internet", network = (allow = ["public"], tlsOptions = (trustBrowserCas = true))),
    (name = "control", external = (address = ${quoted(control.address)}, http = (injectRequestHeaders = ${authorization}))),
  ],
  sockets = [(name = "control", address = "127.0.0.1:0", http = (), service = (name = "host", entrypoint = "Control"))],
);
const host :Workerd.Worker = (
  modules = [(name = "host.js", esModule = embed "host.js")],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ["experimental", "service_binding_extra_handlers"],
  globalOutbound = "internet",
  durableObjectNamespaces = [(className = "Isolate", ephemeralLocal = void)],
  bindings = [
    (name = "MARK", fromEnvironment = "MARK"),
    (name = "TOKEN", text = ${quoted(control.token)}),
    (name = "HOME", text = ${quoted(home)}),
    (name = "MAX_RESIDENT", json = "${maxResident}"),
    (name = "LOADER", workerLoader = ()),
    (name = "ISOLATE", durableObjectNamespace = "Isolate"),
    (name = "DEBUG_PORT", workerdDebugPort = void),
    (name = "CONTROL", service = "control"),
    (name = "INTERNET", service = "internet"),
  ],
);
`
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
