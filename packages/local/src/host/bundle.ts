import { dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import * as esbuild from 'esbuild'
import type { WorkspaceService } from './workspace.ts'

/** A service as one module. */
export interface Bundle {
  code: string
  /** The source map, as JSON; its sources are relative to the workspace's root. */
  sourceMap: string
  /** Absolute paths of the files it was made from. */
  inputs: string[]
}

/** Makes one service's bundle again and again, reusing what did not change. */
export interface Bundler {
  /** Fails with a text that shows the line at fault. */
  rebuild(): Promise<Bundle>
  dispose(): Promise<void>
}

/** Opens a bundler for the local runtime: names kept, nothing minified. */
export async function createBundler(service: WorkspaceService): Promise<Bundler> {
  const options = { ...optionsFor(service), keepNames: true, metafile: true, sourcemap: 'external' } as const
  const context = await esbuild.context(options)
  return {
    async rebuild() {
      const result = await readable(() => context.rebuild())
      const inputs = Object.keys(result.metafile.inputs).map((input) => (isAbsolute(input) ? input : join(options.absWorkingDir, input)))
      return { code: outputOf(result, '.js'), sourceMap: outputOf(result, '.js.map'), inputs }
    },
    dispose: () => context.dispose(),
  }
}

/** Bundles a service once, the way it is deployed. `sizeGzBytes` is what Cloudflare's size limit counts. */
export async function bundleService(service: WorkspaceService, { minify }: { minify: boolean }): Promise<{ code: string; sizeGzBytes: number }> {
  const code = outputOf(await readable(() => esbuild.build({ ...optionsFor(service), minify })), '.js')
  return { code, sizeGzBytes: (await promisify(gzip)(code)).byteLength }
}

/** The same conditions and platform as wrangler's own bundling. */
function optionsFor(service: WorkspaceService) {
  const root = dirname(service.folder)
  return {
    absWorkingDir: root,
    entryPoints: [service.main],
    outfile: join(root, `${service.name}.js`),
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.sql': 'text', '.txt': 'text', '.html': 'text' },
    logLevel: 'silent',
  } as const satisfies esbuild.BuildOptions
}

function outputOf(result: esbuild.BuildResult, suffix: string): string {
  const file = result.outputFiles?.find(({ path }) => path.endsWith(suffix))
  if (!file) throw new Error(`esbuild wrote no ${suffix} file`)
  return file.text
}

async function readable<T>(build: () => Promise<T>): Promise<T> {
  try {
    return await build()
  } catch (cause) {
    const messages = isBuildFailure(cause) ? await esbuild.formatMessages(cause.errors, { kind: 'error' }) : [String(cause)]
    throw new Error(messages.join('\n').trim(), { cause })
  }
}

function isBuildFailure(error: unknown): error is esbuild.BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}
