import { build } from 'esbuild'
import { expect, it } from 'vitest'
import { withoutJsonSchemas } from '@dot-do/worker-local/host/zod-plugin'
import { ROOT } from '../root.ts'

const MODULE = `
import * as z from 'zod'
export const Note = z.strictObject({ id: z.string().regex(/^note_/), tags: z.array(z.enum(['a', 'b'])).default([]), at: z.iso.datetime().optional() })
export const parse = (value) => Note.safeParse(value)
export const standard = (value) => Note['~standard'].validate(value)
export const schemas = { method: () => Note.toJSONSchema(), call: () => z.toJSONSchema(Note), standard: () => Note['~standard'].jsonSchema.input({ target: 'draft-2020-12' }) }
`

async function bundled(plugins: (typeof withoutJsonSchemas)[]) {
  const options = { bundle: true, format: 'esm', minify: true, write: false, logLevel: 'silent', plugins } as const
  const { outputFiles } = await build({ ...options, stdin: { contents: MODULE, resolveDir: `${ROOT}/scripts` } })
  const code = outputFiles[0]?.text ?? ''
  return { code, module: await import(/* @vite-ignore */ `data:text/javascript;base64,${btoa(unescape(encodeURIComponent(code)))}`) }
}

it('parses as zod does', async () => {
  const { module } = await bundled([withoutJsonSchemas])

  expect(module.parse({ id: 'note_1', at: '2026-11-01T00:00:00Z' })).toMatchObject({ success: true, data: { id: 'note_1', tags: [] } })
  expect(module.parse({ id: 'memo_1', more: 1 }).error.issues.map(({ code }: { code: string }) => code)).toEqual(['invalid_format', 'unrecognized_keys'])
  expect(module.standard({ id: 'note_1' })).toMatchObject({ value: { id: 'note_1' } })
})

it('says why there is no JSON Schema, however one asks', async () => {
  const { module } = await bundled([withoutJsonSchemas])

  for (const ask of Object.values<() => unknown>(module.schemas)) expect(ask).toThrow('This Worker is bundled without JSON Schemas')
})

it('leaves the generator out of the bundle', async () => {
  const [plain, lean] = [await bundled([]), await bundled([withoutJsonSchemas])]

  expect(plain.module.schemas.call()).toMatchObject({ type: 'object' })
  expect(lean.code.length).toBeLessThan(plain.code.length - 10_000)
})
