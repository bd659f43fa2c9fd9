import { parseAst } from 'rolldown/parseAst'

type Statement = ReturnType<typeof parseAst>['body'][number]

/** The name the module's own default export has once another takes its place. */
const OWN = '__outboundWorker'

/** Puts the parameters of the dispatch, which arrive as properties, into `env` as the outbound Worker expects them. */
const WRAPPER = `
import { WorkerEntrypoint as __WorkerEntrypoint } from 'cloudflare:workers'
export default class extends __WorkerEntrypoint {
  fetch(request) {
    const env = { ...this.env, ...this.ctx.props?.parameters }
    if (typeof ${OWN} === 'function') return new ${OWN}(this.ctx, env).fetch(request)
    return ${OWN}.fetch(request, env, this.ctx)
  }
}
`

/**
 * Makes the code of an outbound Worker, one ES module, take the parameters its namespace binding declares: they come into its `env`, as on
 * Cloudflare (https://developers.cloudflare.com/cloudflare-for-platforms/workers-for-platforms/configuration/outbound-workers/). Only its
 * default export's `fetch` is an outbound Worker's. Fails when there is no default export.
 */
export function withOutboundParameters(source: string): string {
  for (const statement of parseAst(source).body) {
    const renamed = withoutDefault(source, statement)
    if (renamed !== undefined) return `${renamed}\n${WRAPPER}`
  }
  throw new Error('An outbound Worker has a default export.')
}

function withoutDefault(source: string, statement: Statement): string | undefined {
  const put = (start: number, end: number, text: string): string => `${source.slice(0, start)}${text}${source.slice(end)}`
  if (statement.type === 'ExportDefaultDeclaration') return put(statement.start, statement.declaration.start, `const ${OWN} = `)
  if (statement.type !== 'ExportNamedDeclaration' || statement.source) return undefined
  const specifier = statement.specifiers.find(({ exported }) => nameOf(exported) === 'default')
  if (!specifier) return undefined
  const others = statement.specifiers.filter((one) => one !== specifier).map(({ start, end }) => source.slice(start, end))
  return put(statement.start, statement.end, `export { ${others.join(', ')} };\nconst ${OWN} = ${nameOf(specifier.local)};`)
}

function nameOf(name: { type: string; name?: string; value?: string }): string | undefined {
  return name.name ?? name.value
}
