import { WorkerEntrypoint } from 'cloudflare:workers'
import type { Contract, ServiceOf, ToolService } from '@dot-do/worker-contracts/contract'
import type { BindingProps, CallOptions } from '@dot-do/worker-types'
import { callOf, type Call, type Runtime, type Via } from './call.ts'
import { http } from './http.ts'
import type { AnyImplemented, Implemented } from './implement.ts'
import { invoke } from './invoke.ts'
import type { Tools } from './mcp.ts'

/** The class a service's bindings name: one method per operation, the tools, and `fetch`. It has no `queue` or `scheduled`, since any binder could call those. */
export type EntrypointClass<C extends Contract, Env> = new (ctx: ExecutionContext, env: Env) => WorkerEntrypoint<Env, BindingProps> & ServiceOf<C>

/** The RPC projection. Methods are generated on the prototype, because instance properties cannot be called over RPC. */
// long: one class, whose methods are made from the service they close over
export function entrypoint<C extends Contract, Env extends Cloudflare.Env>(implemented: Implemented<C, Env>, tools: Tools<Env>): EntrypointClass<C, Env> {
  const service = implemented as unknown as AnyImplemented<Env> // implement() checked operation against contract, name by name

  class Entrypoint extends WorkerEntrypoint<Env, BindingProps> {
    override fetch(request: Request): Promise<Response> {
      return http(implemented).fetch(request, this.#runtime())
    }

    tools(_input: Record<string, never>, options?: CallOptions): ReturnType<ToolService['tools']> {
      return Promise.resolve(tools.list(this.#call('mcp', options).principal))
    }

    callTool(input: Parameters<ToolService['callTool']>[0], options?: CallOptions): ReturnType<ToolService['callTool']> {
      return tools.run(input.name, input.arguments, this.#call('mcp', options))
    }

    static method(name: string): PropertyDescriptor {
      return {
        configurable: true,
        writable: true,
        value(this: Entrypoint, input: unknown, options?: CallOptions) {
          return this.#invoke(name, input, options)
        },
      }
    }

    async #invoke(name: string, input: unknown, options?: CallOptions): Promise<unknown> {
      return invoke(service, { name, gather: () => input }, this.#call('rpc', options))
    }

    #call(via: Via, options?: CallOptions): Call<Env> {
      return callOf(this.#runtime(), via, options ?? {})
    }

    #runtime(): Runtime<Env> {
      const { ctx, env } = this
      return { env, props: ctx.props, waitUntil: (promise) => ctx.waitUntil(promise) }
    }
  }

  for (const name of Object.keys(service.contract.operations)) Object.defineProperty(Entrypoint.prototype, name, Entrypoint.method(name))
  return Entrypoint as unknown as EntrypointClass<C, Env> // the loop above gave the prototype exactly the contract's operations
}
