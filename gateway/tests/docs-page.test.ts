import { gatherInput } from '@dot-do/worker-kernel/input'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ApiDocument } from '../src/docs/document.ts'
import { referencePage } from '../src/docs/page.ts'
import { mergedDocument } from '../src/merged-document.ts'
import { findOperation, ROUTES, SERVICE_NAMES } from '../src/services.ts'
import { route } from '../src/routing.ts'
import { documentsEnv } from './documents.ts'

const origin = 'https://api.example.com'
const document = (await mergedDocument(documentsEnv())) as unknown as ApiDocument // what the page is given
const page = referencePage(document, { origin })

const textOf = (markup: string) => markup.replace(/<[^>]*>/g, '').replace(/&#(\d+);/g, (_entity, code: string) => String.fromCharCode(Number(code)))
const articleOf = (id: string, whole = page) => new RegExp(`<article id="${id}">.*?</article>`, 's').exec(whole)?.[0] ?? ''
const idsOf = (whole: string) => [...whole.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)

/** A document of one operation, whose body has this schema. */
function documentOf(schema: object, text = 'Do it'): ApiDocument {
  return {
    info: { title: text, version: text },
    tags: [{ name: 'db', description: text }],
    paths: {
      [`/db/${text}`]: {
        post: {
          operationId: 'db_do',
          tags: ['db'],
          summary: text,
          description: text,
          'x-permission': text,
          parameters: [{ name: text, in: 'query', required: true, description: text, schema: { type: 'string' } }],
          requestBody: { content: { 'application/json': { schema } } },
          responses: {
            200: { content: { 'application/json': { schema: { properties: { data: schema } } } } },
            400: { $ref: `#/components/responses/${text}` },
          },
        },
      },
    },
    components: { schemas: { DbThing: schema } },
    'x-tools': [{ name: `db_${text}`, description: text, inputSchema: schema }],
  }
}

const formOf = (schema: object) => articleOf('db_do', referencePage(documentOf(schema), { origin }))

describe('the reference page', () => {
  it.each(ROUTES)('tells of $service $name what it is for, how it is reached and what it takes', ({ service, name, operation, route: { method, path } }) => {
    const article = textOf(articleOf(`${service}_${name}`))
    const prefix = service === 'gateway' ? '' : `/${service}`

    expect(article).toContain(operation.summary)
    expect(article).toContain(operation.permission)
    expect(article).toContain(`${method} ${prefix}${path.replaceAll(/:(\w+)[+*]?/g, '{$1}')}`.replace(/\/\{id\}$/, ''))
    expect(article).toContain(`${service.toUpperCase()}_SERVICE.${name}(input)`)
    for (const field of Object.keys(operation.input.shape)) expect(article).toContain(field)
  })

  it('names every tool of every service', () => {
    const text = textOf(page)

    expect(document['x-tools'].map(({ name }) => name).filter((name) => !text.includes(name))).toEqual([])
  })

  it('gives every place one name, and leads nowhere that is not there', () => {
    const ids = idsOf(page)
    const links = [...page.matchAll(/ href="#([^"]+)"/g)].map(([, id]) => id)

    expect(ids).toEqual([...new Set(ids)])
    expect(links.filter((id) => !ids.includes(id))).toEqual([])
  })

  it.each(ROUTES)('shows for $service $name a request that its contract takes', async ({ service, name, operation }) => {
    const curl = textOf(/<figcaption>Request<\/figcaption>(.*?)<\/pre>/s.exec(articleOf(`${service}_${name}`))?.[1] ?? '')
    const [, method = 'GET'] = /-X (\w+)/.exec(curl) ?? []
    const url = new URL(/(https:[^\s']+)/.exec(curl)?.[1] ?? '')
    const body = /-d '(.*)'$/s.exec(curl)?.[1]?.replaceAll(`'\\''`, `'`)
    const request = new Request(url, { method, headers: { 'content-type': 'application/json' }, ...(body !== undefined && { body }) })

    const found = findOperation(route('gateway.do', url.pathname, { services: SERVICE_NAMES, hostSuffix: '' }) ?? { service: '', path: '' }, method)
    if (!found) throw new Error(`${curl} leads nowhere`)
    const input = await gatherInput(found.routed, { request, query: url.search, parameters: found.parameters, headerCredential: true })

    expect(url.origin).toBe(origin)
    expect(found.routed.name).toBe(name)
    expect({ curl, ...operation.input.safeParse(input) }).toMatchObject({ success: true })
    expect(curl.includes('Bearer $KEY')).toBe(operation.permission !== 'public')
  })

  it('of one service has that one alone, and a way back', () => {
    const alone = referencePage(document, { origin, service: 'auth' })

    expect(alone).toContain('<article id="auth_createKey">')
    expect(alone).not.toContain('<article id="db_')
    expect(alone).toContain('<a href="/docs">All services</a>')
    expect(alone).toContain('<article id="schema-AuthApiKey">')
  })

  it('loads nothing from elsewhere and runs nothing but its one script', () => {
    expect([...page.matchAll(/<(script|style|link|img|iframe|object|form)\b[^>]*>/g)].map(([tag]) => tag)).toEqual([
      '<link rel="icon" href="data:,">',
      '<style>',
      '<script>',
    ])
    expect(page).not.toMatch(/ (on\w+|style|src)=/)
    expect([...page.matchAll(/ href="([^#"][^"]*)"/g)].map(([, href]) => href).filter((href) => !/^(data:,|\/)/.test(href ?? ''))).toEqual([])
  })

  it('escapes whatever a document holds, wherever it stands', () => {
    const hostile = fc.string({
      unit: fc.constantFrom('<', '>', '"', "'", '&', '`', '$', '{', '}', '\\', '/', '\n', 'a', '<script>', '</style>', '&lt;'),
      maxLength: 30,
    })
    const empty = referencePage(documentOf({ type: 'object', properties: { x: {} } }, 'a'), { origin })
    const tagsOf = (whole: string) =>
      [...whole.matchAll(/<\/?(\w+)/g)].map(([, tag]) => tag).filter((tag) => !['span', 'i', 'code', 'a', 'b'].includes(tag ?? ''))

    fc.assert(
      fc.property(hostile, (text) => {
        const schema = { type: 'object', properties: { x: {}, [`a${text}`]: { description: text, pattern: text, default: text, const: text, format: text } } }
        const made = referencePage(documentOf(schema, `a${text}`), { origin: `https://${text}` })
        expect(tagsOf(made).filter((tag) => ['script', 'style', 'link', 'title'].includes(tag ?? ''))).toEqual(
          tagsOf(empty).filter((tag) => ['script', 'style', 'link', 'title'].includes(tag ?? '')),
        )
        expect(new Set(tagsOf(made))).toEqual(new Set([...tagsOf(empty), ...tagsOf(made).filter((tag) => tag === 'p')]))
      }),
    )
  })
})

describe('a schema on the reference page', () => {
  it.each<[string, object, string[]]>([
    ['a list of objects', { type: 'object', properties: { tags: { type: 'array', items: { properties: { colour: {} } } } } }, ['list of object', 'colour']],
    ['objects in objects', { properties: { a: { type: 'object', properties: { b: { type: 'object', properties: { deep: {} } } } } } }, ['deep']],
    ['several forms', { properties: { v: { oneOf: [{ properties: { left: {} } }, { properties: { right: {} } }] } } }, ['one of 2 forms', 'left', 'right']],
    ['a form or none', { properties: { v: { anyOf: [{ type: 'string' }, { type: 'null' }] } } }, ['string or null']],
    ['a reference', { properties: { v: { $ref: '#/components/schemas/DbThing' } } }, ['DbThing']],
    ['a choice', { properties: { v: { enum: ['red', 'blue'], default: 'red' } } }, ['"red" or "blue"', 'otherwise "red"']],
    [
      'limits',
      { properties: { v: { type: 'integer', minimum: 1, maximum: 1000 }, w: { type: 'string', maxLength: 5 } } },
      ['1 to 1,000', 'at most 5 characters'],
    ],
    ['members by name', { properties: { v: { additionalProperties: { properties: { each: {} } } } } }, ['object of', 'each']],
    ['what must be there', { properties: { v: { type: 'string' } }, required: ['v'] }, ['v required']],
  ])('tells of %s', (_what, schema, told) => {
    const text = textOf(formOf(schema))

    for (const part of told) expect(text).toContain(part)
  })

  it('that never ends, ends', () => {
    const endless = { type: 'object', properties: { inner: {} }, required: ['inner'] }
    endless.properties.inner = endless

    expect(formOf({ $ref: '#/components/schemas/DbThing' })).toContain('schema-DbThing')
    expect(formOf(endless).length).toBeGreaterThan(100)
  })
})
