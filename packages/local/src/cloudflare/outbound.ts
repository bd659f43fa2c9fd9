const OWN_MODULE = 'outbound-worker.js'

/** What stands before an outbound Worker: its default export finds the dispatch's parameters in its env, as on Cloudflare. */
const WRAPPER = `
import { WorkerEntrypoint } from 'cloudflare:workers'
import worker from './${OWN_MODULE}'
export * from './${OWN_MODULE}'

export default class extends WorkerEntrypoint {
  fetch(request) {
    return worker.fetch(request, { ...this.env, ...this.ctx.props?.parameters }, this.ctx)
  }
  static {
    for (const event of ['scheduled', 'queue', 'tail']) {
      if (typeof worker[event] === 'function') this.prototype[event] = function (input) { return worker[event](input, this.env, this.ctx) }
    }
  }
}
`

/**
 * The modules of an outbound Worker, the main one first. `outbound` of a dispatch namespace binding declares parameters, and each dispatch gives them values;
 * Cloudflare hands them to the outbound Worker in its env. `code` is one ES module whose default export is an object with `fetch`.
 */
export function withOutboundParameters(code: string): Record<string, string> {
  return { 'outbound-wrapper.js': WRAPPER, [OWN_MODULE]: code }
}
