import { toPascalCase, toSnakeCase } from '@dot-do/worker-utils/case'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { undocumentedOrUnbound } from './env-interface.ts'
import { lineOf, serviceNames } from './files.ts'
import type { Problem } from './problem.ts'
import { exportsOf, parseSource } from './syntax.ts'
import { readWorkerConfig, type ReadConfig, type ServiceBinding } from './worker-config.ts'

/** The one compatibility date of the platform. */
const COMPATIBILITY_DATE = '2026-11-01'

/** The service that alone may be reached from outside. */
const FRONT = 'gateway'

/** A rule of names: which bindings it is about, and how they end. */
const SUFFIXES = { kv_namespaces: '_KV', r2_buckets: '_BUCKET' } as const

/** Each service's `wrangler.jsonc` is what its `src/env.ts` says, and names others as the house does: by their class, with props that say who asks. */
export async function bindings(root: string): Promise<Problem[]> {
  const services = await serviceNames(root)
  const exported = new Map(await Promise.all(services.map(async (service) => [service, await exportsOfMain(root, service)] as const)))
  const found = services.map(async (service) => {
    const read = await readWorkerConfig(root, service)
    const messages = [...general(service, read), ...badServices(service, read, exported), ...badObjects(read, exported.get(service)), ...badNames(read)]
    const inConfig = messages.map(([needle, message]) => ({ file: read.file, line: lineOf(read.text, needle), message }))
    return [...inConfig, ...(await undocumentedOrUnbound(root, service, read))]
  })
  return (await Promise.all(found)).flat()
}

/** A text of the configuration near which the problem lies, and the problem. */
type Finding = [needle: string, message: string]

async function exportsOfMain(root: string, service: string): Promise<Set<string>> {
  const file = `${service}/src/index.ts`
  return exportsOf(parseSource(file, await readFile(join(root, file), 'utf8').catch(() => '')))
}

function general(service: string, { config }: ReadConfig): Finding[] {
  const findings: Finding[] = []
  if (config.name !== service) findings.push(['"name"', `name is "${config.name}", but a Worker is named after its folder, ${service}`])
  if (config.compatibility_date !== COMPATIBILITY_DATE) findings.push(['"compatibility_date"', `compatibility_date is ${COMPATIBILITY_DATE} everywhere`])
  if (service === FRONT) return findings
  if (config.workers_dev !== false)
    findings.push(['"workers_dev"', `workers_dev is false everywhere but in ${FRONT}: a second door to ${service} would pass it by`])
  if (config.preview_urls !== false)
    findings.push(['"preview_urls"', `preview_urls is false everywhere but in ${FRONT}: a second door to ${service} would pass it by`])
  return findings
}

function badServices(own: string, { config }: ReadConfig, exported: Map<string, Set<string>>): Finding[] {
  return (config.services ?? []).flatMap((binding) => {
    const needle = `"${binding.binding}"`
    return serviceFaults(own, binding, exported).map((message): Finding => [needle, `${binding.binding}: ${message}`])
  })
}

function serviceFaults(own: string, { binding, service = '', entrypoint, props }: ServiceBinding, exported: Map<string, Set<string>>): string[] {
  const names = exported.get(service)
  if (!names) return [`there is no service "${service}"`]
  const wantedName = `${toSnakeCase(service).toUpperCase()}_SERVICE`
  const wantedClass = `${toPascalCase(service)}Service`
  const faults: string[] = []
  if (binding !== wantedName) faults.push(`a binding to ${service} is called ${wantedName}`)
  if (entrypoint !== wantedClass) faults.push(`needs "entrypoint": "${wantedClass}", the door for bindings; the default export is the platform's`)
  if (!names.has(wantedClass)) faults.push(`${service}/src/index.ts does not export ${wantedClass}`)
  if (props?.principal?.id !== own) faults.push(`needs props.principal.id "${own}": the binding is the credential of the Worker that holds it`)
  if (!Array.isArray(props?.principal?.permissions)) faults.push('needs props.principal.permissions, even if empty')
  return faults
}

function badObjects({ config }: ReadConfig, exported: Set<string> | undefined): Finding[] {
  const migrated = new Set((config.migrations ?? []).flatMap(({ new_sqlite_classes }) => new_sqlite_classes ?? []))
  return (config.durable_objects?.bindings ?? []).flatMap(({ name = '', class_name = '', script_name }) => {
    const findings: Finding[] = []
    if (!/^[A-Z][A-Za-z0-9]*s$/.test(name)) findings.push([`"${name}"`, `${name}: a Durable Object binding is a plain PascalCase plural`])
    if (script_name !== undefined) return findings
    if (!exported?.has(class_name)) findings.push([`"${class_name}"`, `${name}: src/index.ts does not export the class ${class_name}`])
    if (!migrated.has(class_name)) findings.push([`"${class_name}"`, `${name}: no migration lists ${class_name} in new_sqlite_classes`])
    return findings
  })
}

function badNames({ config }: ReadConfig): Finding[] {
  const bySuffix = Object.entries(SUFFIXES).flatMap(([kind, suffix]) => {
    const names = (config[kind as keyof typeof SUFFIXES] ?? []).map(({ binding = '' }) => binding) // the table's own keys
    return names.filter((name) => !name.endsWith(suffix)).map((name): Finding => [`"${name}"`, `${name}: a binding of ${kind} ends in ${suffix}`])
  })
  const queues = (config.queues?.producers ?? []).flatMap(({ binding = '', queue = '' }): Finding[] => {
    const wanted = `${toSnakeCase(queue).toUpperCase()}_QUEUE`
    return binding === wanted ? [] : [[`"${binding}"`, `${binding}: the binding to queue ${queue} is called ${wanted}`]]
  })
  return [...bySuffix, ...queues]
}
