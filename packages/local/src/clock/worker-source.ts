import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

/** Makes one module of what runs in the Workers: `within` in each that is turned, `clock` in the clock's own. */
export async function clockSource(file: 'within' | 'clock'): Promise<string> {
  const input = fileURLToPath(new URL(`workerd/${file}.ts`, import.meta.url))
  await using build = await rolldown({ input, platform: 'browser', external: [/^cloudflare:/], transform: { target: 'es2024' } })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false, keepNames: true })
  return output[0].code
}
