import type { Plugin, PluginContext } from 'rolldown'

type Program = ReturnType<PluginContext['parse']>

/** Classes of a library whose instances are made along with what a Worker uses, and asked nothing. */
interface UnusedClasses {
  /** As it is imported, its package's name first; the rest of the file's name may change with the version. */
  module: RegExp
  /** Why nothing of ours asks them, and yet the library makes them. */
  why: string
  names: readonly string[]
}

const UNUSED_CLASSES: UnusedClasses[] = [
  {
    module: /[\\/]node_modules[\\/]@workos-inc[\\/]node[\\/]lib[\\/]factory-[\w-]+\.mjs$/,
    why: 'Every client has every resource of WorkOS; signing in asks userManagement, sso and organizations.',
    names: [
      'Actions',
      'AdminPortal',
      'Agents',
      'ApiKeys',
      'AuditLogs',
      'Authorization',
      'Connect',
      'DirectorySync',
      'Events',
      'FeatureFlags',
      'Groups',
      'MultiFactorAuth',
      'OrganizationDomains',
      'Passwordless',
      'Pipes',
      'Radar',
      'Vault',
      'Webhooks',
      'Widgets',
    ],
  },
]

/** Empties such classes, and with their methods goes whatever only these name: 15 KB of WorkOS, gzipped. A method that is called after all is not a function. */
export const withoutUnusedClasses: Plugin = {
  name: 'without-unused-classes',
  transform: {
    filter: { id: UNUSED_CLASSES.map(({ module }) => module) },
    handler(code, id) {
      const names = UNUSED_CLASSES.filter(({ module }) => module.test(id)).flatMap((each) => each.names)
      return { code: emptied(code, bodiesOf(this.parse(code), new Set(names))), map: null }
    },
  },
}

interface Span {
  start: number
  end: number
}

/** Where the bodies of these classes are, in the form that bundlers write them: `var Name = class {…}`. */
function bodiesOf({ body }: Program, names: ReadonlySet<string>): Span[] {
  return body.flatMap((node) => {
    if (node.type !== 'VariableDeclaration') return []
    return node.declarations.flatMap(({ id, init }) => (id.type === 'Identifier' && names.has(id.name) && init?.type === 'ClassExpression' ? [init.body] : []))
  })
}

function emptied(code: string, bodies: Span[]): string {
  return bodies.toSorted((one, other) => other.start - one.start).reduce((text, { start, end }) => `${text.slice(0, start)}{}${text.slice(end)}`, code)
}
