// What the job proves itself to deploy.do with: an API key, or, without one, a credential for the job's own OIDC token.
// https://docs.github.com/en/actions/reference/security/oidc
import { setTimeout as delay } from 'node:timers/promises'
import { hide } from './runner.mjs'

/** How long GitHub, or the platform, may take to answer. */
const TIMEOUT_MS = 30_000

/** How often is tried what the platform may answer better a little later. */
const ATTEMPTS = 3

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'

/** The credential of this job. The log shows none that is made here. `input` gives an input or undefined, `env` is what the runner says. */
export async function credentialOf(input, env) {
  const key = input('API_KEY')
  if (key) return key
  const token = await idTokenOf(env, input('AUDIENCE') ?? 'https://gateway.do')
  return exchanged(token, input)
}

/** The job's OIDC token, from the runner. */
async function idTokenOf({ ACTIONS_ID_TOKEN_REQUEST_URL: from, ACTIONS_ID_TOKEN_REQUEST_TOKEN: by }, audience) {
  if (!from || !by) {
    throw new Error(
      'there is neither an api-key nor a token of the job: give the job "permissions: id-token: write", or put a key with the permission deployments:create into a secret',
    )
  }
  const url = new URL(from)
  url.searchParams.set('audience', audience)
  const { response, answer } = await ask(url, { headers: { authorization: `Bearer ${by}`, accept: 'application/json' } })
  if (typeof answer?.value !== 'string') throw new Error(`the runner gave no token of the job: ${url.origin} answered ${response.status}`)
  hide(answer.value)
  return answer.value
}

/** A credential of fifteen minutes for the token (RFC 8693), asked for no more than this deployment takes. */
async function exchanged(token, input) {
  const url = new URL(`${addressOf(input('AUTH_URL') ?? 'https://gateway.do/auth', 'auth-url').href.replace(/\/$/, '')}/token`)
  const body = new URLSearchParams({ grant_type: GRANT, subject_token: token, subject_token_type: ID_TOKEN, scope: scopeOf(input) })
  for (let attempt = 1; ; attempt++) {
    const { response, answer } = await ask(url, { method: 'POST', body })
    if (response.ok && typeof answer?.access_token === 'string') {
      hide(answer.access_token)
      return answer.access_token
    }
    const reason = answer?.error_description ?? answer?.error?.message ?? 'and not as the platform does'
    const isPassing = response.status === 429 || response.status === 503
    if (!isPassing || attempt === ATTEMPTS) throw new Error(`no credential for this job: ${url.origin} answered ${response.status}, ${reason}`)
    console.log(`${reason}; asking again`)
    await delay(Math.min(Number(response.headers.get('retry-after')) || 2 * attempt, 60) * 1_000)
  }
}

/** `deployments:create@hello/production/acme`; `*` for what the inputs leave to deploy.do. */
function scopeOf(input) {
  const parts = [input('SERVICE') ?? '*', input('ENVIRONMENT') ?? (input('TIER') ? '*' : 'production'), input('TENANT') ?? '*']
  return `deployments:create@${parts.join('/')}`
}

/** Secrets go over HTTPS only, except to this machine itself. */
export function addressOf(text, field) {
  if (!URL.canParse(text)) throw new Error(`${field} is ${text}, which is no URL`)
  const url = new URL(text)
  const isHere = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isHere)) return url
  throw new Error(`${field} is ${text}: secrets are only sent over https`)
}

async function ask(url, init) {
  const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error) => {
    throw new Error(`${url.origin} does not answer: ${error.cause?.message || error.message}`)
  })
  const text = await response.text()
  try {
    return { response, answer: JSON.parse(text) }
  } catch {
    return { response, answer: undefined }
  }
}
