import { RpcTarget, WorkerEntrypoint } from 'cloudflare:workers'

/** What each script of the tests' namespaces does, by the part of its name before `--v`. */
const SCRIPTS = {
  echo: (request, options) =>
    Response.json(
      { url: request.url, method: request.method, headers: Object.fromEntries(request.headers), cf: request.cf ?? null, options },
      { headers: { 'x-dotdo-dispatch': 'error', 'x-dotdo-other': '1', 'x-mine': '1', 'Set-Cookie': 'a=b' } },
    ),
  thrower: () => {
    throw new Error('the password is hunter2')
  },
  failing: () => new Response('broken', { status: 500 }),
  greedy: () => {
    throw new Error('Worker exceeded CPU time limit.')
  },
  sibling: (request) => Response.json({ loops: request.headers.get('CDN-Loop') }),
}

class Script extends RpcTarget {
  #name
  #options

  constructor(name, options) {
    super()
    this.#name = name
    this.#options = options
  }

  async fetch(request) {
    const answer = SCRIPTS[this.#name.split('--v')[0]]
    if (!answer) throw new Error('Worker not found.')
    const given = await answer(request, this.#options)
    given.headers.set('x-script', this.#name)
    return given
  }

  add(a, b) {
    return a + b
  }
}

/** A dispatch namespace: Cloudflare's `get`, over RPC. */
export class Namespace extends WorkerEntrypoint {
  get(name, _args, options) {
    return new Script(name, options)
  }
}

export default {}
