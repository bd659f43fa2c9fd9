/** A member of something that is reached later. */
export interface LateMember {
  target: object
  key: string
  /** Throws what is to be said of a failure. */
  explained(error: unknown): Promise<never>
}

/**
 * Stands for a member of an entrypoint that is not found yet: it can be called, awaited, and so can the members of what it will be.
 * Nothing is asked before it is called or awaited, and then once.
 */
export function later(find: () => Promise<LateMember>): object {
  const use = async (take: (member: LateMember) => unknown): Promise<unknown> => {
    const member = await find()
    try {
      return await take(member)
    } catch (error) {
      return await member.explained(error)
    }
  }
  return promised({
    read: () => use(({ target, key }) => Reflect.get(target, key)),
    call: (args) => use(({ target, key }) => Reflect.apply(Reflect.get(target, key), target, args)),
  })
}

interface Source {
  read(): Promise<unknown>
  call(args: unknown[]): Promise<unknown>
}

function promised({ read, call }: Source): object {
  let value: Promise<unknown> | undefined
  const once = () => (value ??= read())
  return new Proxy(() => {}, {
    apply: (_target, _self, args: unknown[]) => settled(call(args)),
    get(_target, key) {
      if (key === 'then') return (...handlers: Parameters<Promise<unknown>['then']>) => once().then(...handlers)
      if (key === 'catch') return (handler: (error: unknown) => unknown) => once().catch(handler)
      if (key === 'finally') return (handler: () => void) => once().finally(handler)
      return typeof key === 'symbol' ? undefined : memberOf(once, key)
    },
  })
}

function memberOf(parent: () => Promise<unknown>, key: string): object {
  return promised({
    read: async () => Reflect.get(Object(await parent()), key),
    call: async (args) => {
      const owner = Object(await parent())
      return Reflect.apply(Reflect.get(owner, key), owner, args)
    },
  })
}

/** A promise whose members can be used before it is kept. A failure nobody asks about is not reported twice. */
function settled(promise: Promise<unknown>): object {
  promise.catch(() => {})
  return promised({
    read: () => promise,
    call: async (args) => {
      const member = await promise
      return typeof member === 'function' ? member(...args) : Promise.reject(new TypeError('What was called is not a function.'))
    },
  })
}
