import { WorkerEntrypoint } from 'cloudflare:workers'
import { RUNTIME_NAMES } from '@dot-do/worker-contracts/promises'
import { callOf, type Call, type Runtime } from '@dot-do/worker-kernel/call'
import { http } from '@dot-do/worker-kernel/http'
import { entrypoint } from '@dot-do/worker-kernel/rpc'
import { refusal } from './dispatch.ts'
import { enter } from './entrance.ts'
import type { Env } from './env.ts'
import { tools } from './mcp.ts'
import { service } from './service.ts'
import { callSibling, fetchSibling } from './sibling.ts'
import { TenantObjects, type ObjectWithContent, type StoredObject } from './tenant-bucket.ts'
import { TenantValues, type KeyPage } from './tenant-kv.ts'
import { siblingProps, tenantProps } from './tenant-props.ts'
import { runOnThings, THING_OPERATIONS } from './tenant-things.ts'

/** What bindings of the dispatcher name. Its `fetch` is also how the gateway hands on requests to published workers. */
export class DispatcherService extends entrypoint(service, tools) {
  override async fetch(request: Request): Promise<Response> {
    const { ctx, env } = this
    const runtime: Runtime<Env> = { env, props: ctx.props, waitUntil: (promise) => ctx.waitUntil(promise) }
    return (await enter(request, runtime)) ?? http(service).fetch(request, runtime)
  }
}

/** A published worker's `db` binding: db's operations on things, on those of its tenant. The methods are made below, since only those of the prototype can be called. */
export class TenantDb extends WorkerEntrypoint<Env> {
  static method(name: string): PropertyDescriptor {
    return {
      configurable: true,
      writable: true,
      async value(this: TenantDb, ...args: unknown[]) {
        return runOnThings(name, args, { props: tenantProps(this.ctx.props), things: this.env.DB_SERVICE })
      },
    }
  }
}

for (const name of THING_OPERATIONS) Object.defineProperty(TenantDb.prototype, name, TenantDb.method(name))

/** A published worker's `kv` binding. */
export class TenantKv extends WorkerEntrypoint<Env> {
  async get(key: unknown, type?: unknown): Promise<unknown> {
    return this.#values().get(key, type)
  }

  async put(key: unknown, value: unknown, options?: unknown): Promise<void> {
    return this.#values().put(key, value, options)
  }

  async delete(key: unknown): Promise<void> {
    return this.#values().delete(key)
  }

  async list(options?: unknown): Promise<KeyPage> {
    return this.#values().list(options)
  }

  #values(): TenantValues {
    return new TenantValues(this.env.DISPATCHER_KV, tenantProps(this.ctx.props).tenant)
  }
}

/** A published worker's `bucket` binding. */
export class TenantBucket extends WorkerEntrypoint<Env> {
  async get(key: unknown): Promise<ObjectWithContent | null> {
    return this.#objects().get(key)
  }

  async head(key: unknown): Promise<StoredObject | null> {
    return this.#objects().head(key)
  }

  async put(key: unknown, value: unknown, options?: unknown): Promise<StoredObject> {
    return this.#objects().put(key, value, options)
  }

  async delete(key: unknown): Promise<void> {
    return this.#objects().delete(key)
  }

  async list(options?: unknown): ReturnType<TenantObjects['list']> {
    return this.#objects().list(options)
  }

  #objects(): TenantObjects {
    return new TenantObjects(this.env.DISPATCHER_BUCKET, tenantProps(this.ctx.props).tenant)
  }
}

/** A published worker's `worker` binding: another worker of the same tenant and environment, by `fetch` and by whatever methods it has. */
export class Sibling extends WorkerEntrypoint<Env> {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, env)
    const call = callOf({ env, waitUntil: (promise) => ctx.waitUntil(promise) }, 'rpc')
    return new Proxy(this, { get: (own, name) => member(own, name, { props: ctx.props, call }) })
  }
}

function member(own: Sibling, name: string | symbol, { props, call }: { props: unknown; call: Call<Env> }): unknown {
  if (name === 'fetch')
    return async (request: Request) => fetchSibling(request, siblingProps(props), call).catch((thrown: unknown) => refusal(thrown, call.requestId))
  if (typeof name === 'symbol' || RUNTIME_NAMES.has(name)) return Reflect.get(own, name, own)
  return async (...args: unknown[]) => callSibling(name, args, { props: siblingProps(props), call })
}
