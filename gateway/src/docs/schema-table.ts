import { markup, type Markup } from '@dot-do/worker-utils'
import { referredName, type Parameter, type Schema } from './document.ts'

/** One row: a name, whether it must be there, and of what form it is. */
interface Field {
  name: string
  required?: boolean | undefined
  schema: Schema
  description?: string | undefined
}

/** What every text is held to, and nobody needs to be told. */
const ANY_TEXT = '^[^\\u0000]*$'

/** So deep is a form told; what is deeper is called by its type. */
const MAX_DEPTH = 8

/** A table of parameters. */
export function parameterTable(parameters: Parameter[]): Markup {
  return fieldTable(parameters, 0)
}

/** A table of the fields that a schema has, of its members' where it is a list, of each form where there are several. */
export function schemaTable(schema: Schema, depth = 0): Markup | undefined {
  const { properties, required = [], additionalProperties, items } = schema
  const forms = formsOf(schema).filter(hasFields)
  if (depth > MAX_DEPTH) return undefined
  if (forms.length > 0) return markup`<ol class="forms">${forms.map((form) => markup`<li>${schemaTable(form, depth + 1) ?? typeOf(form)}</li>`)}</ol>`
  if (properties && Object.keys(properties).length > 0) {
    return fieldTable(
      Object.entries(properties).map(([name, field]) => ({ name, schema: field, required: required.includes(name) })),
      depth,
    )
  }
  const inner = items ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
  return inner && hasFields(inner) ? schemaTable(inner, depth + 1) : undefined
}

function fieldTable(fields: Field[], depth: number): Markup {
  return markup`<table>${fields.map((field) => fieldRows(field, depth))}</table>`
}

function fieldRows({ name, required, schema, description = schema.description }: Field, depth: number): Markup {
  const inner = schemaTable(schema, depth + 1)
  const mark = required && markup` <em>required</em>`
  const row = markup`<tr><th scope="row"><code>${name}</code>${mark}<p class="type">${typeOf(schema)}</p></th><td><p>${description}</p>${limitsOf(schema)}</td></tr>`
  return inner ? markup`${row}<tr class="inner"><td colspan="2"><details><summary>${innerTitle(schema)}</summary>${inner}</details></td></tr>` : row
}

function innerTitle(schema: Schema): string {
  const forms = formsOf(schema)
    .concat(schema.items ? formsOf(schema.items) : [])
    .filter(hasFields)
  return forms.length > 1 ? `${forms.length} forms` : 'Fields'
}

/** What a value may be: a link for a named schema, words otherwise. */
export function typeOf(schema: Schema): Markup {
  const name = referredName(schema)
  if (name !== undefined) return markup`<a href="#schema-${name}">${name}</a>`
  if (schema.const !== undefined) return markup`<code>${JSON.stringify(schema.const)}</code>`
  if (schema.enum) return joined(schema.enum.map((value) => markup`<code>${JSON.stringify(value)}</code>`))
  const forms = formsOf(schema)
  if (forms.length > 1 && forms.every(hasFields)) return markup`one of ${forms.length} forms`
  if (forms.length > 0) return joined(forms.map(typeOf))
  if (schema.items) return markup`list of ${typeOf(schema.items)}`
  if (typeof schema.additionalProperties === 'object') return markup`object of ${typeOf(schema.additionalProperties)}`
  const types = [schema.type ?? (schema.properties ? 'object' : 'anything')].flat().join(' or ')
  return markup`${schema.format === 'date-time' ? 'time, ISO 8601' : types}`
}

function joined(types: Markup[]): Markup {
  const unique = [...new Map(types.map((type) => [type.text, type])).values()]
  return markup`${unique.map((type, index) => [index > 0 && ' or ', type])}`
}

function formsOf({ anyOf, oneOf, allOf }: Schema): Schema[] {
  return anyOf ?? oneOf ?? allOf ?? []
}

/** Whether there is more to tell of a schema than its type. */
function hasFields(schema: Schema): boolean {
  const { properties, items, additionalProperties } = schema
  if (properties && Object.keys(properties).length > 0) return true
  if (items && hasFields(items)) return true
  if (typeof additionalProperties === 'object' && hasFields(additionalProperties)) return true
  return formsOf(schema).some(hasFields)
}

function limitsOf(schema: Schema): Markup | false {
  const { minLength, maxLength, minItems, maxItems, pattern } = schema
  const limits = [
    within(number(schema.minimum), number(schema.maximum), ''),
    within(minLength, maxLength, ' characters'),
    within(minItems, maxItems, ' of them'),
    schema.default !== undefined && markup`otherwise <code>${JSON.stringify(schema.default)}</code>`,
    schema.additionalProperties === false && schema.properties && 'no other fields',
    pattern !== undefined && schema.format === undefined && pattern !== ANY_TEXT && markup`matches <code>${pattern}</code>`,
  ].filter((limit) => limit !== false && limit !== undefined)
  return limits.length > 0 && markup`<p class="limits">${limits.map((limit, index) => [index > 0 && ' · ', limit])}</p>`
}

/** The largest number that JSON holds exactly stands for no limit. */
function number(limit: number | undefined): number | undefined {
  return limit !== undefined && Math.abs(limit) === Number.MAX_SAFE_INTEGER ? undefined : limit
}

function within(least: number | undefined, most: number | undefined, what: string): string | false {
  const [lower, upper] = [least?.toLocaleString('en'), most?.toLocaleString('en')]
  if (upper !== undefined) return least ? `${lower} to ${upper}${what}` : `at most ${upper}${what}`
  return lower !== undefined && `at least ${lower}${what}`
}
