import type { auth } from '@dot-do/worker-contracts/auth'
import type { Call } from '@dot-do/worker-kernel/call'
import type { HttpService } from '@dot-do/worker-kernel/http'
import type { Implemented } from '@dot-do/worker-kernel/implement'
import { ServiceError, toServiceError } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'
import { asking, type Ask } from '../login/operations.ts'
import { loginVisit, readFields } from '../login/visit.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** What a job's OIDC token may be called. */
const SUBJECT_TYPES: ReadonlySet<string> = new Set(['urn:ietf:params:oauth:token-type:id_token', 'urn:ietf:params:oauth:token-type:jwt'])

/** Adds `POST /token`, the token exchange of RFC 8693. It is public: the token in the form is the proof. */
export function addTokenRoute(app: HttpService<Env>['app'], service: Implemented<typeof auth, Env>): void {
  const ask = asking(service)
  app.post('/token', (c) => exchange(c.req.raw, c.var.call, ask))
}

async function exchange(request: Request, call: Call<Env>, ask: Ask): Promise<Response> {
  try {
    const fields = await readFields(loginVisit(request, call))
    const granted = await ask('exchangeToken', inputOf(fields), call)
    return answer(200, {
      access_token: granted.accessToken,
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: granted.expiresIn,
      scope: granted.permissions.join(' '),
    })
  } catch (thrown) {
    return refusal(thrown)
  }
}

function inputOf(fields: Record<string, string>): { token: string; permissions?: string[] } {
  const { grant_type: grant, subject_token: token, subject_token_type: type, requested_token_type: wanted = ACCESS_TOKEN, scope } = fields
  if (grant !== GRANT) throw new RefusedGrant(`grant_type must be ${GRANT}`)
  if (!token) throw invalid('subject_token is missing')
  if (!type || !SUBJECT_TYPES.has(type)) throw invalid(`subject_token_type must be one of ${[...SUBJECT_TYPES].join(', ')}`)
  if (wanted !== ACCESS_TOKEN) throw invalid(`requested_token_type must be ${ACCESS_TOKEN}`)
  const permissions = scope?.split(' ').filter((permission) => permission !== '')
  return { token, ...(permissions?.length ? { permissions } : {}) }
}

/** A grant that this endpoint does not know. */
class RefusedGrant extends ServiceError {
  constructor(message: string) {
    super('INVALID', message)
  }
}

/** Errors as RFC 6749 §5.2 has them; RFC 8693 §2.2.2 makes a token that is not accepted, for whatever reason, an `invalid_request`. */
function refusal(thrown: unknown): Response {
  const { status, code, message, details } = toServiceError(thrown)
  const description = [message, ...(details ?? []).filter((detail) => detail.message !== message).map((detail) => `${detail.path}: ${detail.message}`)].join(
    '; ',
  )
  const error_description = description.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'")
  if (status >= 500) return answer(status, { error: status === 503 || code === 'UPSTREAM' ? 'temporarily_unavailable' : 'server_error', error_description })
  return answer(400, { error: errorOf(thrown, details?.[0]?.path), error_description })
}

function errorOf(thrown: unknown, path = ''): string {
  if (thrown instanceof RefusedGrant) return 'unsupported_grant_type'
  return path.startsWith('permissions') ? 'invalid_scope' : 'invalid_request'
}

function answer(status: number, body: object): Response {
  return Response.json(body, { status, headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache' } })
}

function invalid(message: string): ServiceError {
  return new ServiceError('INVALID', message)
}
