import { describe, expect, it } from 'vitest'
import { admin, makeKey } from './client.ts'
import { base64, publish, says, visit, workerName } from './publisher.ts'

describe('a deployment that fails', () => {
  it.each([
    ['not base64', { script: 'ä!' }, 'script'],
    ['not UTF-8', { script: Buffer.from([0xff, 0xfe, 0x00]).toString('base64') }, 'script'],
    ['a syntax error', { script: base64('export default {\n  fetch( { return 1 }\n}') }, 'line 2'],
    ['no handler', { script: base64('export const a = 1') }, 'handler'],
    ['a module that is not there', { script: base64(`import './missing.js'; export default { fetch() {} }`) }, 'missing.js'],
    ['neither script nor modules', {}, 'script'],
    ['an unknown kind of binding', { script: base64(says('a')), bindings: [{ type: 'd1', name: 'DB' }] }, 'bindings.0'],
    ['a service binding', { script: base64(says('a')), bindings: [{ type: 'service', name: 'DB', service: 'db' }] }, 'bindings.0'],
    ['props', { script: base64(says('a')), bindings: [{ type: 'db', name: 'DB', props: { tenant: 'acme' } }] }, 'bindings.0'],
    ['a date in the future', { script: base64(says('a')), compatibility_date: '2999-01-01' }, 'compatibility_date'],
    ['a path that leads out', { modules: [{ name: '../up.js', content: base64(says('a')) }] }, 'modules.0.name'],
    ['an absolute path', { modules: [{ name: '/etc/passwd.js', content: base64(says('a')) }] }, 'modules.0.name'],
    ['the same module twice', { modules: ['a.js', 'a.js'].map((name) => ({ name, content: base64(says('a')) })) }, 'modules.1.name'],
  ])('for %s is told where, and touches nothing', async (_what, body, place) => {
    const name = workerName()
    await publish(name, says('before'))

    const refused = await admin('/deploy/deploy', { body: { service: name, ...body } })

    expect(refused).toMatchObject({ status: 400 })
    expect(refused.text).toContain(place)
    expect((await visit(`${name}.do`)).text).toBe('before')
    expect((await admin(`/deploy/versions?service=${name}`)).data['items']).toHaveLength(1)
  })

  it.each(['gateway', 'db', 'deploy', 'dispatcher', 'api', 'tenant', 'v12', 'Has-Capitals', 'a--b', '-a', 'x'.repeat(64)])(
    'cannot take the name %s',
    async (service) => {
      expect(await admin('/deploy/deploy', { body: { service, script: base64(says('mine')) } })).toMatchObject({
        status: 400,
        error: { details: [{ path: 'service' }] },
      })
    },
  )

  it('at load or at its first request leaves what was live', async () => {
    const name = workerName()
    await publish(name, says('before'))

    const thrown = await publish(name, `throw new Error('not today'); export default { fetch() {} }`)
    const broken = await publish(name, `export default { fetch() { throw new Error('never') } }`)

    expect(thrown).toMatchObject({ status: 400 })
    expect(thrown.text).toContain('not today')
    expect(broken).toMatchObject({ status: 400 })
    expect(broken.text).toContain('never')
    expect((await visit(`${name}.do`)).text).toBe('before')
    expect((await admin(`/deploy/deployments?service=${name}`)).data['items']).toMatchObject([{ status: 'failed' }, { status: 'failed' }, { status: 'live' }])
  })

  it('is in the audit log with the reason, as is every one that went well', async () => {
    const name = workerName()
    const { id, key } = await makeKey({ permissions: ['deployments:create@another'] })
    await publish(name, says('a'), { metadata: { commit: 'c0ffee' } })

    await publish(name, says('b'), { key })

    const { data } = await admin(`/auth/audit?subject=${name}`)
    expect((await admin('/auth/audit/verify')).data).toMatchObject({ valid: true })
    expect(data['items']).toMatchObject([{ action: 'deploy.deploy', detail: { commit: 'c0ffee' } }])
    const refused = await admin(`/auth/audit?actor=${id}`)
    expect(refused.data['items']).toMatchObject([{ action: 'deploy.deploy', actor: id, detail: { outcome: 'FORBIDDEN' } }])
  })
})
