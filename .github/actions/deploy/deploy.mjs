// Publishes a worker on deploy.do from within GitHub Actions. Runs on any Node from 20 on, with nothing installed.
import { createHash } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { bodyOf } from './body.mjs'
import { addressOf, credentialOf } from './identity.mjs'
import { addSummary, hide, setOutputs, showError } from './runner.mjs'

/** How long one attempt may take; a deployment is uploaded and tried before it is answered. */
const TIMEOUT_MS = 120_000

/** How often is tried what deploy.do may answer better a little later. */
const ATTEMPTS = 3

/** What an input says, without blanks around it; undefined for one that is empty, which is how the runner passes those that were left out. */
function input(env, name) {
  return env[`DEPLOY_${name}`]?.trim() || undefined
}

/** Publishes what the inputs in `env` say, and gives what deploy.do answered. `retryWaitMs` is how long it waits before a second attempt, unless the answer says. */
export async function deploy(env, { retryWaitMs = 2_000 } = {}) {
  const secret = input(env, 'API_KEY')
  if (secret) hide(secret)
  const url = new URL(`${addressOf(input(env, 'URL') ?? 'https://deploy.do', 'url').href.replace(/\/$/, '')}/deploy`)
  const body = JSON.stringify(await bodyOf((name) => input(env, name), env))
  const key = await credentialOf((name) => input(env, name), env)
  const published = await post(url, { key, body, run: env.GITHUB_RUN_ID ?? '' }, retryWaitMs)
  await setOutputs(env, {
    url: published.url,
    previewUrl: published.previewUrl,
    version: published.version,
    deployment: published.deployment?.id,
  })
  await addSummary(env, published)
  return published
}

/** Asks until there is an answer that a repeat would not better. All attempts are one deployment: they carry the same Idempotency-Key. */
async function post(url, { key, body, run }, retryWaitMs) {
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'idempotency-key': createHash('sha256').update(`${run}\n${body}`).digest('hex'),
  }
  for (let attempt = 1; ; attempt++) {
    const answer = await ask(url, { method: 'POST', headers, body, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (answer.published) return answer.published
    if (!answer.isPassing || attempt === ATTEMPTS) throw new Error(answer.reason)
    console.log(`${answer.reason}; asking again`)
    await delay(answer.waitMs ?? retryWaitMs * attempt)
  }
}

async function ask(url, init) {
  const response = await fetch(url, init).catch((error) => error)
  if (response instanceof Error) return { isPassing: true, reason: `${url.origin} does not answer: ${response.cause?.message || response.message}` }
  const text = await response.text()
  const answer = parsed(text)
  if (response.ok && answer?.success === true) return { published: answer.data }
  // A 502 with deploy.do's own sentence is the worker's fault, which a repeat would only show again.
  const isPassing = [429, 503, 504].includes(response.status) || (response.status === 502 && !answer?.error)
  const waitSeconds = Number(response.headers.get('retry-after'))
  return { isPassing, reason: reasonOf(response, answer), ...(waitSeconds > 0 && { waitMs: Math.min(waitSeconds, 60) * 1_000 }) }
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** deploy.do's own sentence, with the fields it is about; or that the answer is not deploy.do's. */
function reasonOf(response, answer) {
  const error = answer?.error
  if (typeof error?.message !== 'string') return `${response.url} answered ${response.status}, and not as deploy.do does`
  const details = (error.details ?? []).filter(({ message }) => message !== error.message).map(({ path, message }) => `${path}: ${message}`)
  const request = error.requestId ? ` (request ${error.requestId})` : ''
  return `${error.code}: ${[error.message, ...details].join('; ')}${request}`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const { url, previewUrl, version } = await deploy(process.env)
    console.log(`version ${version} is at ${previewUrl}, the worker at ${url}`)
  } catch (error) {
    showError(`${input(process.env, 'SERVICE') ?? 'A worker'} was not deployed: ${error.message}`)
    process.exitCode = 1
  }
}
