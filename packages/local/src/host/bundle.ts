import { dirname, join } from 'node:path'
import { promisify, stripVTControlCharacters } from 'node:util'
import { gzip } from 'node:zlib'
import { rolldown, type InputOptions, type OutputOptions } from 'rolldown'
import { withoutUnusedClasses } from './unused-classes.ts'
import { withoutUnusedParts } from './unused-parts.ts'
import type { WorkspaceService } from './workspace.ts'

/** A service as one module. */
export interface Bundle {
  code: string
  /** The source map, as JSON; its sources are relative to the workspace's root. */
  sourceMap: string
  /** Absolute paths of the files it was made from. */
  inputs: string[]
}

/** How a bundle is written. */
export interface BundleOptions {
  /** As it is deployed: no names kept, no white space. */
  minify: boolean
}

/** Our packages' modules only define things, so one that nothing uses is left out. A service's own modules may act when loaded. */
const PACKAGE_SOURCES = /[\\/]packages[\\/][a-z-]+[\\/]src[\\/]/

/** Makes one module of a service. Fails with a text that shows the line at fault. */
export async function bundle(service: WorkspaceService, { minify }: BundleOptions): Promise<Bundle> {
  const unresolved: string[] = []
  try {
    await using build = await rolldown(inputOptions(service, unresolved))
    const { output } = await build.generate(outputOptions(service, minify))
    if (unresolved.length > 0) throw new Error(unresolved.join('\n'))
    const inputs = (await build.watchFiles).filter((file) => !file.startsWith('\0'))
    return { code: output[0].code, sourceMap: JSON.stringify(output[0].map), inputs }
  } catch (cause) {
    throw new Error(stripVTControlCharacters(messageOf(cause)).trim(), { cause })
  }
}

/** Bundles a service and weighs it. `sizeGzBytes` is what Cloudflare's size limit counts. */
export async function bundleService(service: WorkspaceService, options: BundleOptions): Promise<{ code: string; sizeGzBytes: number }> {
  const { code } = await bundle(service, options)
  return { code, sizeGzBytes: (await promisify(gzip)(code)).byteLength }
}

/** The same conditions and platform as wrangler's own bundling. */
function inputOptions(service: WorkspaceService, unresolved: string[]): InputOptions {
  return {
    cwd: dirname(service.folder),
    input: service.main,
    platform: 'browser',
    resolve: { conditionNames: ['workerd', 'worker', 'browser'] },
    external: [/^cloudflare:/, /^node:/],
    transform: { target: 'es2024', define: { 'process.env.NODE_ENV': '"production"' } },
    moduleTypes: { '.sql': 'text', '.txt': 'text', '.html': 'text' },
    // Reading a property runs nothing in what we bundle: no getter there does more than answer.
    treeshake: { propertyReadSideEffects: false, moduleSideEffects: [{ test: PACKAGE_SOURCES, sideEffects: false }] },
    plugins: [withoutUnusedParts, withoutUnusedClasses],
    // An import that leads nowhere is only a warning to rolldown, which leaves it to the runtime.
    onLog: (_, { code, message }) => void (code === 'UNRESOLVED_IMPORT' && unresolved.push(message)),
  }
}

function outputOptions({ folder, name }: WorkspaceService, minify: boolean): OutputOptions {
  return {
    file: join(dirname(folder), `${name}.js`),
    format: 'esm',
    codeSplitting: false,
    sourcemap: 'hidden',
    sourcemapExcludeSources: true,
    keepNames: !minify,
    minify,
    // `/* @__PURE__ */` has served its purpose once the bundle is made; licences stay.
    comments: { annotation: !minify },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
