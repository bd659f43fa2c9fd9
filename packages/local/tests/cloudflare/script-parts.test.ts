import { describe, expect, it } from 'vitest'
import { apiUnderTest, form, MAIN, TENANTS } from './api-under-test.ts'

const SHOP = `${TENANTS}/scripts/shop`

const secret = { type: 'secret_text', name: 'KEY', text: 'sesame' }
const text = { type: 'plain_text', name: 'GREETING', text: 'hello' }

it('says of a script that is not there what each client listens for', async () => {
  const { ask } = await apiUnderTest()

  for (const path of ['', '/content', '/settings', '/bindings', '/tags', '/secrets', '/secrets/KEY']) {
    expect(await ask('GET', `${SHOP}${path}`)).toMatchObject({ status: 404, errors: [{ code: 10_092 }] })
  }
  expect(await ask('GET', `${TENANTS}/scripts/No.Name`)).toMatchObject({ status: 400, errors: [{ code: 10_016 }] })
})

it('never gives out the text of a secret', async () => {
  const { ask, upload } = await apiUnderTest()

  const answers = [await upload('shop', form({ bindings: [secret] }))]
  for (const path of ['', '/settings', '/bindings', '/secrets', '/secrets/KEY']) answers.push(await ask('GET', `${SHOP}${path}`))
  answers.push(await ask('PUT', `${SHOP}/secrets`, { ...secret, text: 'sesame too' }))
  answers.push(await ask('PUT', `${SHOP}/secrets`, { ...secret, text: ['sesame'] }))
  answers.push(await ask('GET', `${TENANTS}/scripts`))

  expect(JSON.stringify(answers)).not.toContain('sesame')
  expect(answers[3]?.result).toEqual([{ name: 'KEY', type: 'secret_text' }])
})

describe('an upload', () => {
  it.each([
    ['loses what it does not name', {}, []],
    ['keeps what it says to keep', { keep_bindings: ['secret_text'] }, ['secret_text KEY sesame']],
    ['keeps what it names to inherit', { bindings: [{ type: 'inherit', name: 'KEY' }] }, ['secret_text KEY sesame']],
    ['keeps under another name', { bindings: [{ type: 'inherit', name: 'NEW', old_name: 'KEY' }] }, ['secret_text NEW sesame']],
    ['keeps a secret it names without a text', { bindings: [{ type: 'secret_text', name: 'KEY' }] }, ['secret_text KEY sesame']],
    [
      'overrides what it says to keep',
      { bindings: [{ ...text, name: 'KEY' }], keep_bindings: ['secret_text', 'plain_text'] },
      ['plain_text KEY hello', 'plain_text GREETING hello'],
    ],
  ])('%s', async (_what, metadata, expected) => {
    const { store, upload } = await apiUnderTest()
    await upload('shop', form({ bindings: [secret, text] }))

    const { status } = await upload('shop', form(metadata), '?bindings_inherit=strict')

    expect(status).toBe(200)
    const bindings = (await store.getScript('tenants', 'shop'))?.bindings ?? []
    expect(bindings.map((one) => `${one.type} ${one.name} ${'text' in one ? one.text : ''}`)).toEqual(expected)
  })

  it('passes over what is not there to inherit, unless it is strict', async () => {
    const { upload } = await apiUnderTest()
    const metadata = { bindings: [{ type: 'inherit', name: 'KEY' }] }

    expect((await upload('shop', form(metadata))).status).toBe(200)
    expect(await upload('shop', form(metadata), '?bindings_inherit=strict')).toMatchObject({ status: 400, errors: [{ code: 10_057 }] })
  })
})

describe('secrets', () => {
  it('are set and removed together or not at all', async () => {
    const { ask, store, upload } = await apiUnderTest()
    await upload('shop', form({ bindings: [secret, text] }))
    const named = (name: string) => ({ name, text: 'new', type: 'secret_text' })

    const refused = await ask('PATCH', `${SHOP}/secrets-bulk`, { secrets: { A: named('A'), GREETING: named('GREETING') } })
    const wrongKey = await ask('PATCH', `${SHOP}/secrets-bulk`, { secrets: { A: named('B') } })
    const patched = await ask('PATCH', `${SHOP}/secrets-bulk`, { secrets: { A: named('A'), KEY: null, GONE: null } })

    expect(refused).toMatchObject({ status: 400, errors: [{ code: 10_053 }] })
    expect(wrongKey).toMatchObject({ status: 400, errors: [{ message: expect.stringContaining('secrets') }] })
    expect(patched.result).toEqual([{ name: 'A', type: 'secret_text' }])
    expect((await store.getScript('tenants', 'shop'))?.bindings).toEqual([text, { type: 'secret_text', name: 'A', text: 'new' }])
  })

  it('are removed one by one, by names that need escapes too', async () => {
    const { ask, upload } = await apiUnderTest()
    await upload('shop', form({ bindings: [{ ...secret, name: 'a/b c' }] }))

    const first = await ask('DELETE', `${SHOP}/secrets/a%2Fb%20c?url_encoded=true`)
    const second = await ask('DELETE', `${SHOP}/secrets/a%2Fb%20c?url_encoded=true`)

    expect(first.status).toBe(200)
    expect(second).toMatchObject({ status: 404, errors: [{ code: 10_056, message: "Binding 'a/b c' not found" }] })
  })

  it('do not hold what is no variable: bindings keep their names', async () => {
    const { ask, upload } = await apiUnderTest()
    await upload('shop', form({ bindings: [text] }))

    expect(await ask('PUT', `${SHOP}/secrets`, { ...secret, name: 'GREETING' })).toMatchObject({ status: 400, errors: [{ code: 10_053 }] })
    expect(await ask('DELETE', `${SHOP}/secrets/GREETING`)).toMatchObject({ status: 404 })
    expect(await ask('PUT', `${SHOP}/secrets`, { ...secret, text: 'x'.repeat(5121) })).toMatchObject({ status: 400, errors: [{ code: 10_054 }] })
  })
})

describe('tags', () => {
  it('are read, replaced, added and removed', async () => {
    const { ask, upload } = await apiUnderTest()
    await upload('shop', form({ tags: ['a'] }))

    expect((await ask('GET', `${SHOP}/tags`)).result).toEqual(['a'])
    expect((await ask('PUT', `${SHOP}/tags`, ['b', 'c', 'b'])).result).toEqual(['b', 'c'])
    expect((await ask('PUT', `${SHOP}/tags/d%20e`)).result).toEqual(['b', 'c', 'd e'])
    expect((await ask('DELETE', `${SHOP}/tags/b`)).result).toEqual(['c', 'd e'])
  })

  it('are eight at most, however they come', async () => {
    const { ask, store, upload } = await apiUnderTest()
    const eight = [...'abcdefgh']
    await upload('shop', form({ tags: eight }))

    expect((await ask('PUT', `${SHOP}/tags/i`)).status).toBe(400)
    expect((await ask('PUT', `${SHOP}/tags`, [...eight, 'i'])).status).toBe(400)
    expect((await ask('PATCH', `${SHOP}/settings`, { tags: [...eight, 'i'] })).status).toBe(400)
    expect((await ask('PUT', `${SHOP}/tags/a`)).status).toBe(200)
    expect((await store.getScript('tenants', 'shop'))?.tags).toEqual(eight)
  })

  it.each([
    ['a:yes', ['both', 'first']],
    ['b:no', ['first', 'neither']],
    ['a:yes,b:yes', ['both']],
    ['c:no', ['both', 'first', 'neither']],
  ])('select scripts by %s, to list and to delete', async (filter, expected) => {
    const { ask, store, upload } = await apiUnderTest()
    await upload('both', form({ tags: ['a', 'b'] }))
    await upload('first', form({ tags: ['a'] }))
    await upload('neither', form())

    const listed = await ask('GET', `${TENANTS}/scripts?tags=${filter}`)
    await ask('DELETE', `${TENANTS}/scripts?tags=${filter}`)

    expect(listed.result).toMatchObject(expected.map((id) => ({ id })))
    expect((await store.listScripts('tenants')).map(({ name }) => name)).toEqual(['both', 'first', 'neither'].filter((name) => !expected.includes(name)))
  })

  it('have to be given to delete scripts by them', async () => {
    const { ask } = await apiUnderTest()

    expect(await ask('DELETE', `${TENANTS}/scripts`)).toMatchObject({ status: 400, errors: [{ message: expect.stringContaining('tags') }] })
    expect(await ask('DELETE', `${TENANTS}/scripts?tags=a`)).toMatchObject({ status: 400, errors: [{ message: expect.stringContaining('tag:yes') }] })
  })
})

describe('settings', () => {
  it('change what they name and nothing else', async () => {
    const { ask, upload } = await apiUnderTest()
    await upload('shop', form({ bindings: [secret, text], tags: ['a'], compatibility_date: '2026-11-01', limits: { cpu_ms: 50 } }))

    const { result } = await ask('PATCH', `${SHOP}/settings`, { compatibility_flags: ['nodejs_compat'], observability: { enabled: true } })

    expect(result).toMatchObject({
      bindings: [{ name: 'KEY', type: 'secret_text' }, text],
      tags: ['a'],
      compatibility_date: '2026-11-01',
      compatibility_flags: ['nodejs_compat'],
      limits: { cpu_ms: 50 },
      observability: { enabled: true },
    })
  })

  it('come as a form too, and replace the bindings but for those that are inherited', async () => {
    const { ask, store, upload } = await apiUnderTest()
    await upload('shop', form({ bindings: [secret, text] }))
    const patch = new FormData()
    patch.set('settings', JSON.stringify({ bindings: [{ type: 'inherit', name: 'KEY' }] }))

    const { result } = await ask('PATCH', `${SHOP}/settings`, patch)

    expect(result).toMatchObject({ bindings: [{ name: 'KEY', type: 'secret_text' }] })
    expect((await store.getScript('tenants', 'shop'))?.bindings).toEqual([secret])
  })

  it.each([
    ['a sibling', { bindings: [{ type: 'service', name: 'B', service: 'sibling' }] }, 10_143],
    ['a class no migration made', { bindings: [{ type: 'durable_object_namespace', name: 'B', class_name: 'C' }] }, 10_061],
    ['a date to come', { compatibility_date: '2027-01-01' }, 10_021],
    ['a field of the wrong type', { tags: 'a' }, 10_026],
  ])('refuse %s', async (_what, patch, code) => {
    const { ask, upload } = await apiUnderTest()
    for (const name of ['shop', 'sibling']) await upload(name, form())

    expect(await ask('PATCH', `${SHOP}/settings`, patch)).toMatchObject({ success: false, errors: [{ code }] })
  })

  it('carry migrations of Durable Object classes from one tag to the next', async () => {
    const { ask, store, upload } = await apiUnderTest()
    await upload('shop', form({ migrations: { new_tag: 'v1', steps: [{ new_classes: ['A'] }, { new_sqlite_classes: ['B', 'C'] }] } }))

    const patched = await ask('PATCH', `${SHOP}/settings`, {
      migrations: { old_tag: 'v1', new_tag: 'v2', steps: [{ renamed_classes: [{ from: 'B', to: 'D' }], deleted_classes: ['A'] }] },
    })
    const twice = await ask('PATCH', `${SHOP}/settings`, { migrations: { old_tag: 'v2', new_tag: 'v3', steps: [{ new_classes: ['C'] }] } })
    const absent = await ask('PATCH', `${SHOP}/settings`, { migrations: { old_tag: 'v2', new_tag: 'v3', steps: [{ deleted_classes: ['A'] }] } })

    expect(patched.result).toMatchObject({ migration_tag: 'v2' })
    expect([twice, absent]).toMatchObject([{ errors: [{ code: 10_074 }] }, { errors: [{ code: 10_071 }] }])
    const classes = ['D', 'C'].map((name) => ({ name, storage: 'sqlite' }))
    expect((await store.getScript('tenants', 'shop'))?.migrations).toEqual({ tag: 'v2', classes })
  })
})

it('takes new code alone, with everything else as it was', async () => {
  const { ask, store, upload } = await apiUnderTest()
  await upload('shop', form({ bindings: [secret], tags: ['a'] }))

  const refused = await ask('PUT', `${SHOP}/content`, form({}, [['index.js', 'nothing']]))
  const { status } = await ask('PUT', `${SHOP}/content`, form({}, [['other.js', 'export default { queue() {} }']]))

  expect(refused.status).toBe(400)
  expect(status).toBe(200)
  expect(await store.getScript('tenants', 'shop')).toMatchObject({ mainModule: 'other.js', handlers: ['queue'], bindings: [secret], tags: ['a'] })
  expect((await ask('PUT', `${TENANTS}/scripts/gone/content`, form({}, [MAIN]))).status).toBe(404)
})
