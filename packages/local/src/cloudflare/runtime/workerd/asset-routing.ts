import type { AssetConfig, DeliveredAssets, DeliveredScript } from '../protocol.ts'

/** What a path of the assets leads to: a file with its status, or another path to go to. */
export type AssetMatch = { path: string; status: 200 | 404 } | { redirect: string }

type Files = Pick<DeliveredAssets, 'files'>['files']

/** Whether the assets answer, and not the script: they come first where they have something. */
export function servesAsset(script: Pick<DeliveredScript, 'assets' | 'mainModule'>, request: Pick<Request, 'method' | 'url'>): boolean {
  const { assets, mainModule } = script
  if (!assets) return false
  if (mainModule === undefined) return true
  if (request.method !== 'GET' && request.method !== 'HEAD') return false
  const { pathname } = new URL(request.url)
  return !runsWorkerFirst(assets.config.run_worker_first, pathname) && matchFile(assets, pathname) !== undefined
}

/** Looks a path up, by what the configuration makes of endings and of paths that lead nowhere. */
export function matchAsset(assets: DeliveredAssets, pathname: string): AssetMatch | undefined {
  return matchFile(assets, pathname) ?? matchNothing(assets, pathname)
}

function matchNothing({ config, files }: DeliveredAssets, pathname: string): AssetMatch | undefined {
  if (config.not_found_handling === 'single-page-application') return '/index.html' in files ? { path: '/index.html', status: 200 } : undefined
  if (config.not_found_handling !== '404-page') return undefined
  for (let folder = pathname; folder !== '';) {
    folder = folder.slice(0, folder.lastIndexOf('/'))
    if (`${folder}/404.html` in files) return { path: `${folder}/404.html`, status: 404 }
  }
  return undefined
}

/** https://developers.cloudflare.com/workers/static-assets/routing/advanced/html-handling/ */
function matchFile({ config, files }: DeliveredAssets, pathname: string): AssetMatch | undefined {
  const path = decoded(pathname)
  const handling = config.html_handling ?? 'auto-trailing-slash'
  if (path === undefined) return undefined
  if (handling === 'none') return path in files ? { path, status: 200 } : undefined
  const page = pageOf(files, path)
  if (page === undefined) return path in files ? { path, status: 200 } : undefined
  const canonical = canonicalOf(page, handling)
  return canonical === path ? { path: page, status: 200 } : { redirect: encodeURI(canonical) }
}

/** The HTML file that a path means, whichever of its forms it has. */
function pageOf(files: Files, path: string): string | undefined {
  const stem = path.replace(/(\/index)?\.html$/, '').replace(/\/(index)?$/, '')
  const asked =
    path.endsWith('/') || path.endsWith('/index.html') || path.endsWith('/index')
      ? [`${stem}/index.html`, `${stem}.html`]
      : [`${stem}.html`, `${stem}/index.html`]
  if (path in files && !path.endsWith('.html')) return undefined
  return [path, ...asked].find((candidate) => candidate.endsWith('.html') && candidate in files)
}

function canonicalOf(page: string, handling: NonNullable<AssetConfig['html_handling']>): string {
  const isIndex = page.endsWith('/index.html')
  const stem = page.replace(isIndex ? /\/index\.html$/ : /\.html$/, '')
  if (stem === '') return '/'
  const hasSlash = handling === 'auto-trailing-slash' ? isIndex : handling === 'force-trailing-slash'
  return hasSlash ? `${stem}/` : stem
}

function decoded(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return undefined
  }
}

/** Patterns begin with `/`, or with `!/` for exceptions, and `*` stands for anything. */
function runsWorkerFirst(setting: AssetConfig['run_worker_first'], pathname: string): boolean {
  if (typeof setting === 'boolean' || setting === undefined) return setting ?? false
  const fits = (pattern: string) => new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`).test(pathname)
  const exceptions = setting.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1))
  return !exceptions.some(fits) && setting.filter((pattern) => !pattern.startsWith('!')).some(fits)
}

function escaped(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
}
