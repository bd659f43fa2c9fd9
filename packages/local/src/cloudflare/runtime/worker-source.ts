import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/** Makes one module of a Worker's source in the folder `workerd`. */
export async function workerSource(file: 'binding.ts' | 'host.ts'): Promise<string> {
  const input = fileURLToPath(new URL(`workerd/${file}`, import.meta.url))
  await using build = await rolldown({ input, platform: 'browser', external: [/^cloudflare:/], transform: { target: 'es2024' } })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false, keepNames: true })
  return output[0].code
}
