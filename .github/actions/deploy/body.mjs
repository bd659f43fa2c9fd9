// What is sent to deploy.do: the inputs, the files they name, and where it all comes from.
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'

/** Extensions of modules, as deploy.do knows them. */
const MODULES = new Set(['.js', '.mjs', '.cjs', '.json', '.txt', '.html', '.sql', '.wasm', '.bin', '.map'])

/** deploy.do takes bodies up to 48 MiB; base64 makes three bytes four. */
const MAX_BYTES = 36 * 1_048_576

/** The body of `POST /deploy`. `input` gives an input or undefined, `env` is what the runner says about where this comes from. */
export async function bodyOf(input, env) {
  const service = input('SERVICE')
  if (!service) throw new Error('service is empty: it is the name of the worker')
  if (input('ENVIRONMENT') && input('TIER')) throw new Error('environment and tier are two ways to say where: give one')
  const code = await codeOf(input)
  const assets = input('ASSETS') && (await filesOf(input('ASSETS'), 'assets'))
  refuseTooMuch([...(code.modules ?? []), ...(assets ?? []), ...(code.script ? [{ content: code.script }] : [])])
  return withoutEmpty({
    service,
    environment: input('ENVIRONMENT'),
    tier: input('TIER'),
    tenant: input('TENANT'),
    ...code,
    assets: assets?.map(({ name, content }) => ({ path: `/${name}`, content })),
    vars: jsonOf(input, 'VARS', 'object'),
    bindings: jsonOf(input, 'BINDINGS', 'array'),
    compatibility_date: input('COMPATIBILITY_DATE'),
    activate: isTrue(input('ACTIVATE')),
    metadata: await metadataOf(env),
  })
}

async function codeOf(input) {
  const [file, directory] = [input('FILE'), input('DIRECTORY')]
  if (file && directory) throw new Error('file and directory are two ways to give the code: give one')
  if (file) return { script: await contentOf(file, 'file') }
  if (!directory && input('ASSETS')) return {}
  if (!directory) throw new Error('file or directory is to name the code')
  const files = await filesOf(directory, 'directory')
  const modules = files.filter(({ name }) => MODULES.has(extname(name)))
  for (const { name } of files) if (!MODULES.has(extname(name))) console.log(`left out ${name}, which is no module`)
  const main = input('MAIN') ?? 'index.js'
  if (!modules.some(({ name }) => name === main)) throw new Error(`directory is ${directory}, which does not hold the main module ${main}`)
  return { modules, mainModule: main }
}

/** The files of a folder in base64, by name, sorted, so that the same folder always makes the same body. Hidden ones and installed packages are left out. */
async function filesOf(folder, field) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const names = paths.map((path) => relative(folder, path).split(sep).join('/')).sort()
  const shown = names.filter((name) => !name.split('/').some((part) => part.startsWith('.') || part === 'node_modules'))
  if (shown.length === 0) throw new Error(`${field} is ${folder}, where there are no files`)
  return Promise.all(shown.map(async (name) => ({ name, content: await contentOf(join(folder, name), field) })))
}

async function contentOf(path, field) {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) throw new Error(`${field} is ${path}, which is no file`)
  if (found.size > MAX_BYTES) throw new Error(`${path} has ${found.size} bytes; deploy.do takes ${MAX_BYTES} in all`)
  return (await readFile(path)).toString('base64')
}

function refuseTooMuch(files) {
  const sizeBytes = files.reduce((total, { content }) => total + (content.length / 4) * 3, 0)
  if (sizeBytes > MAX_BYTES) throw new Error(`the files have ${sizeBytes} bytes; deploy.do takes ${MAX_BYTES} in all`)
}

function jsonOf(input, name, kind) {
  const text = input(name)
  if (text === undefined) return undefined
  let value
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error(`${name.toLowerCase()} is no JSON: ${error.message}`)
  }
  const found = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  if (found !== kind) throw new Error(`${name.toLowerCase()} is to be a JSON ${kind}`)
  return value
}

function isTrue(text) {
  if (text === undefined || text === 'true') return undefined
  if (text === 'false') return false
  throw new Error(`activate is ${text}; it is to be true or false`)
}

/** Where it comes from. A pull request is known by its own branch, not by the one GitHub made of it, and by its own commit. */
async function metadataOf(env) {
  const event = await eventOf(env.GITHUB_EVENT_PATH)
  const isTag = env.GITHUB_REF_TYPE === 'tag'
  return withoutEmpty({
    commit: cut(event.pull_request?.head?.sha ?? env.GITHUB_SHA, 100),
    branch: cut(env.GITHUB_HEAD_REF || (isTag ? '' : env.GITHUB_REF_NAME), 255),
    author: cut(env.GITHUB_ACTOR, 255),
    version: isTag ? cut(env.GITHUB_REF_NAME, 100) : undefined,
    message: cut(event.head_commit?.message ?? event.pull_request?.title, 1_000),
  })
}

async function eventOf(path) {
  if (!path) return {}
  return JSON.parse(await readFile(path, 'utf8').catch(() => '{}'))
}

/** At most as long as deploy.do takes it, without half a character at the end. */
function cut(text, length) {
  return typeof text === 'string' ? text.replaceAll('\0', '').slice(0, length).toWellFormed() : undefined
}

function withoutEmpty(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== ''))
}
