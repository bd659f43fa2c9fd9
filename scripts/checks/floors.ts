import { posix } from 'node:path'
import { codeUnder, packageFolders, packageOf, serviceNames } from './files.ts'
import type { Problem } from './problem.ts'
import { importsOf, isNode, readSource, visitNodes, type Import, type Source } from './syntax.ts'

/** The floor of each package; a package imports only lower ones. */
const FLOORS: Record<string, number> = { types: 1, schemas: 2, contracts: 3, utils: 4, middleware: 5, kernel: 6, data: 6 }
const SERVICE_FLOOR = 7

/** The one way across on a floor: data runs its queries by the kernel's calls. */
const BESIDE: Record<string, string> = { data: 'kernel' }

/** Libraries that one package alone bundles, since they weigh more than the rest of a Worker. */
const KEPT_BY: Record<string, string> = { '@modelcontextprotocol/': 'mcp', '@neondatabase/serverless': 'db' }

/** What a tree consists of. */
interface House {
  folders: string[]
  services: string[]
}

/** A package's code that is deployed imports only what lies below it, and what it alone may. Tests, scripts, bench and packages/local lie outside and may import anything. */
export async function floors(root: string): Promise<Problem[]> {
  const house = { folders: await packageFolders(root), services: await serviceNames(root) }
  const files = (await codeUnder(root)).filter((file) => floorOf(house, packageOf(file, house.folders)) !== undefined && file.includes('/src/'))
  const sources = await Promise.all(files.map((file) => readSource(root, file)))
  return sources.flatMap((source) =>
    importsOf(source).flatMap((imported) => {
      const message = refusal(house, source, imported)
      return message ? [{ file: source.file, line: imported.line, message }] : []
    }),
  )
}

function floorOf({ services }: House, folder: string | undefined): number | undefined {
  if (folder === undefined) return undefined
  return services.includes(folder) ? SERVICE_FLOOR : FLOORS[folder.replace('packages/', '')]
}

function refusal(house: House, source: Source, { specifier }: Import): string | undefined {
  const own = packageOf(source.file, house.folders) ?? ''
  if (specifier.startsWith('.')) return refusedPath(house, source.file, specifier)
  if (specifier === 'cloudflare:workers') return refusedRuntime(house, source, own)
  const [prefix, keeper] = Object.entries(KEPT_BY).find(([name]) => specifier.startsWith(name)) ?? []
  if (prefix && keeper !== own) return `only ${keeper} imports ${prefix}`
  return refusedPackage(house, own, specifier)
}

function refusedPackage(house: House, own: string, specifier: string): string | undefined {
  const service = house.services.find((name) => specifier === name || specifier.startsWith(`${name}/`))
  if (service) return `a service is known by its contract: import @dot-do/worker-contracts/${service}`
  const [, scope, name = ''] = /^@dot-do\/(worker-)?([^/]+)/.exec(specifier) ?? []
  if (name === '') return undefined
  const floor = scope ? FLOORS[name] : undefined
  if (floor === undefined) return `${specifier} lies outside the house: nothing that is deployed imports it`
  const ownFloor = floorOf(house, own) ?? 0
  const ownName = own.replace('packages/', '')
  if (name === ownName) return `a package imports its own files by relative path`
  if (floor < ownFloor || BESIDE[ownName] === name) return undefined
  return `${ownName} is on floor ${ownFloor} and may import only lower floors; ${name} is on floor ${floor}`
}

function refusedPath({ folders, services }: House, file: string, specifier: string): string | undefined {
  const own = packageOf(file, folders) ?? ''
  const path = posix.join(posix.dirname(file), specifier)
  if (path.startsWith(`${own}/src/`) || path === `${own}/package.json` || path.startsWith(`${own}/migrations/`)) return undefined
  if (services.includes(own) && path === `docs/openapi/${own}.json`) return undefined
  const target = packageOf(path, folders)
  return target === own ? `deployed code imports only from src: ${path} is not deployed` : `${path} is not ${own}'s own: a relative import stays in its package`
}

function refusedRuntime(house: House, source: Source, own: string): string | undefined {
  if (own === 'packages/data' || source.file === 'packages/kernel/src/rpc.ts') return undefined
  if (house.services.includes(own) && (source.file === `${own}/src/rpc.ts` || extendsDurableObject(source))) return undefined
  return 'cloudflare:workers is imported only by rpc.ts and by the files of Durable Objects, so that everything else runs anywhere'
}

function extendsDurableObject({ program }: Source): boolean {
  let found = false
  visitNodes(program, ({ type, superClass }) => {
    found ||= type === 'ClassDeclaration' && isNode(superClass) && superClass['name'] === 'DurableObject'
  })
  return found
}
