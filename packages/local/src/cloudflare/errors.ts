/** A refusal as Cloudflare words it: its own number beside the HTTP status. The message is shown to whoever calls and carries no secret. */
export class CloudflareError extends Error {
  readonly status: number
  readonly code: number

  constructor(status: number, code: number, message: string) {
    super(message)
    this.name = 'CloudflareError'
    this.status = status
    this.code = code
  }
}

/** The namespace is not there; 100119 is what clients test for before they create one. */
export function namespaceNotFound(): CloudflareError {
  return new CloudflareError(404, 100_119, 'workers.api.error.dispatch_namespace_not_found')
}

/** The script is not in its namespace; wrangler takes 10092 as "deploy a new one" and gives up at any other code. */
export function scriptNotFound(): CloudflareError {
  return new CloudflareError(404, 10_092, 'workers.api.error.environment_not_found')
}

/** The account has no such Worker; wrangler takes 10007 as an offer to create it. */
export function workerNotFound(): CloudflareError {
  return new CloudflareError(404, 10_007, 'This Worker does not exist on your account.')
}

/** An upload that the hosted validation refuses; `wrangler deploy` prints the message as it is. */
export function invalidUpload(message: string): CloudflareError {
  return new CloudflareError(400, 10_021, message)
}

/** A request body that cannot be understood at all. */
export function unreadableBody(message: string): CloudflareError {
  return new CloudflareError(400, 10_026, message)
}

/** A name that breaks the rules of `store/names.ts`. */
export function invalidName(what: 'script' | 'dispatch namespace'): CloudflareError {
  const start = 'lower-case letters, digits, hyphens and underscores, and does not begin with a hyphen'
  return new CloudflareError(400, 10_016, `Invalid ${what} name: it consists of 1 to 255 characters, ${start}`)
}
