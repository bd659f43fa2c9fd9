import type { DbLive } from '@dot-do/worker-contracts/db-live'
import { callOf, type Call } from '@dot-do/worker-kernel/call'
import { entrypoint } from '@dot-do/worker-kernel/rpc'
import type { CallOptions } from '@dot-do/worker-types'
import { begin } from './begin.ts'
import { changeLines } from './change-feed.ts'
import type { Env } from './env.ts'
import { tools } from './mcp.ts'
import { service } from './service.ts'

/** What bindings of db name. */
export class DbService extends entrypoint(service, tools) implements DbLive {
  begin(...[input, options]: Parameters<DbLive['begin']>): ReturnType<DbLive['begin']> {
    return begin(input, this.#call(options))
  }

  changes(...[input, options]: Parameters<DbLive['changes']>): ReturnType<DbLive['changes']> {
    return changeLines(input, this.#call(options))
  }

  #call(options?: CallOptions): Call<Env> {
    const { ctx, env } = this
    return callOf({ env, props: ctx.props, waitUntil: (promise) => ctx.waitUntil(promise) }, 'rpc', options)
  }
}
