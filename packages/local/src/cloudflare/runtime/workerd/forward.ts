/** What workerd itself looks for on an entrypoint, at each call, to see which events it takes. Methods of these names are not forwarded. */
const HANDLERS = new Set([
  'alarm',
  'connect',
  'email',
  'queue',
  'scheduled',
  'self',
  'tail',
  'tailStream',
  'test',
  'then',
  'trace',
  'webSocketClose',
  'webSocketError',
  'webSocketMessage',
])

/** Makes an entrypoint forward each RPC method and property it does not have to what `reach` finds, which is called for nothing else. */
export function forwarding<T extends object>(entrypoint: T, reach: () => object): T {
  return new Proxy(entrypoint, {
    get(target, key) {
      if (typeof key === 'symbol' || HANDLERS.has(key) || Reflect.has(target, key)) return Reflect.get(target, key)
      return Reflect.get(reach(), key)
    },
  })
}
