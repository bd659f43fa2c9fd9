import { fileURLToPath } from 'node:url'
import { rolldown, type Plugin } from 'rolldown'
import { expect, it } from 'vitest'
import { withoutUnusedClasses } from '../../src/host/unused-classes.ts'

/** What signs people in by WorkOS, as it runs in a Worker. */
const WORKOS = fileURLToPath(new URL('../../../../auth/src/login/providers/workos.ts', import.meta.url))

async function bundled(plugins: Plugin[]): Promise<string> {
  await using build = await rolldown({ input: WORKOS, plugins, platform: 'browser', logLevel: 'silent', resolve: { conditionNames: ['workerd', 'worker'] } })
  return (await build.generate({ format: 'esm', minify: true, codeSplitting: false })).output[0].code
}

it('leaves out what a client of WorkOS is not asked, and keeps what signs people in', async () => {
  const [whole, lean] = await Promise.all([bundled([]), bundled([withoutUnusedClasses])])

  expect(whole).toContain('/audit_logs/')
  expect(lean).not.toContain('/audit_logs/')
  for (const path of ['/user_management/authenticate', '/sso/token', '/organizations/']) expect(lean).toContain(path)
  expect(lean.length).toBeLessThan(whole.length - 50_000)
})
