import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCamelCase, toKebabCase, toPascalCase, toSnakeCase } from '../src/case.ts'

describe('cases', () => {
  it.each([
    ['http-server', 'HttpServer', 'httpServer', 'http-server', 'http_server'],
    ['HTTPServer', 'HttpServer', 'httpServer', 'http-server', 'http_server'],
    ['parseXMLDocument', 'ParseXmlDocument', 'parseXmlDocument', 'parse-xml-document', 'parse_xml_document'],
    ['  two  words ', 'TwoWords', 'twoWords', 'two-words', 'two_words'],
    ['SHA256 hash', 'Sha256Hash', 'sha256Hash', 'sha256-hash', 'sha256_hash'],
    ['version2Beta', 'Version2Beta', 'version2Beta', 'version2-beta', 'version2_beta'],
    ['über Größe', 'ÜberGröße', 'überGröße', 'über-größe', 'über_größe'],
    ['__a.b/c', 'Abc', 'aBc', 'a-b-c', 'a_b_c'],
    ['', '', '', '', ''],
    ['-- --', '', '', '', ''],
  ])('reads the words of %j', (text, pascal, camel, kebab, snake) => {
    expect([toPascalCase(text), toCamelCase(text), toKebabCase(text), toSnakeCase(text)]).toEqual([pascal, camel, kebab, snake])
  })

  it.each([toPascalCase, toCamelCase, toKebabCase, toSnakeCase])('%o changes nothing the second time', (convert) => {
    const texts = fc.oneof(fc.string({ unit: fc.constantFrom(...'aZbQ09-_ ß') }), fc.string({ unit: 'grapheme' }))

    fc.assert(
      fc.property(texts, (text) => convert(convert(text)) === convert(text)),
      { numRuns: 1000 },
    )
  })

  it('gets from any case to any other when every word has two letters', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{2,6}$/), { minLength: 1, maxLength: 5 })

    fc.assert(
      fc.property(words, (names) => {
        const kebab = names.join('-')
        return [toPascalCase, toCamelCase, toSnakeCase].every((convert) => toKebabCase(convert(kebab)) === kebab)
      }),
    )
  })
})
