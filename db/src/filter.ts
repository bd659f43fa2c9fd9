import type { filter } from '@dot-do/worker-contracts/search'
import { ServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { momentOf } from './moment.ts'
import type { Parameters } from './parameters.ts'

/** One condition on one field of a thing. */
export type Filter = NonNullable<z.output<typeof filter>>[number]

type Scalar = string | number | boolean | null

/** A column of a thing that a filter may name: its SQL, and how a value given for it becomes a parameter; undefined for a value it can never have. */
interface Column {
  sql: string
  cast: string
  says: string
  valueOf(value: Scalar): string | number | undefined
  isText?: true
}

const asText = { cast: 'text', says: 'Must be text', valueOf: (value: Scalar) => (typeof value === 'string' ? value : undefined), isText: true } as const
const asNumber = { cast: 'numeric', says: 'Must be a number', valueOf: (value: Scalar) => (typeof value === 'number' ? value : undefined) }
const asTime = {
  cast: 'timestamptz',
  says: 'Must be a day or a moment, ISO 8601',
  valueOf: (value: Scalar) => (typeof value === 'string' ? momentOf(value) : undefined),
}

/** Text is compared byte by byte, like ids. */
const COLUMNS = new Map<string, Column>([
  ['$id', { sql: 't.id', ...asText }],
  ['$type', { sql: 't.type', ...asText }],
  ['content', { sql: 't.content collate "C"', ...asText }],
  ['visibility', { sql: 't.visibility collate "C"', ...asText }],
  ['version', { sql: 't.version', ...asNumber }],
  ['createdAt', { sql: 't.created_at', ...asTime }],
  ['updatedAt', { sql: 't.updated_at', ...asTime }],
])

const COMPARISONS = { eq: '=', ne: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const

/** What a filter asks for, as SQL over `db.things t`. INVALID, with the path of what is wrong in the filter at `path`. */
export function conditionOf(filter: Filter, path: string, parameters: Parameters): string {
  const [root, ...names] = filter.field.split('.')
  if (root === 'data' && names.length > 0) return dataCondition(filter, { value: `t.data #> ${parameters.add(names)}::text[]`, path, parameters })
  const column = COLUMNS.get(filter.field)
  if (!column) throw invalid(`${path}.field`, `Must be data.<name> or one of ${[...COLUMNS.keys()].join(', ')}`)
  return columnCondition(filter, column, { path, parameters })
}

function columnCondition(filter: Filter, column: Column, { path, parameters }: { path: string; parameters: Parameters }): string {
  const given = (value: Scalar): string | number => {
    const known = column.valueOf(value)
    if (known === undefined) throw invalid(`${path}.value`, column.says)
    return known
  }
  if (filter.op === 'exists') return String(filter.value) // every thing has them all
  if (filter.op === 'in') return `${column.sql} = any(${parameters.add(filter.value.map(given))}::${column.cast}[])`
  const value = `${parameters.add(given(filter.value))}::${column.cast}`
  if (filter.op !== 'contains') return `${column.sql} ${COMPARISONS[filter.op]} ${value}`
  if (column.isText) return `strpos(${column.sql}, ${value}) > 0`
  throw invalid(`${path}.op`, 'Must be contained in text or in a list')
}

/** Numbers are compared with numbers, texts with texts; another kind of value is unequal and neither less nor greater. A field that is not there equals nothing. */
function dataCondition(filter: Filter, { value, path, parameters }: { value: string; path: string; parameters: Parameters }): string {
  const json = (given: unknown): string => `${parameters.add(JSON.stringify(given))}::jsonb`
  switch (filter.op) {
    case 'exists':
      return `(${value}) is ${filter.value ? 'not ' : ''}null`
    case 'in':
      return `(${value}) = any(array(select jsonb_array_elements(${json(filter.value)})))`
    case 'eq':
      return `(${value}) = ${json(filter.value)}`
    case 'ne':
      return `(${value}) is distinct from ${json(filter.value)}`
    case 'contains':
      return containsCondition(filter.value, value, parameters)
    default:
      return orderCondition({ op: filter.op, value: filter.value }, { field: value, path, parameters })
  }
}

function containsCondition(wanted: Scalar, field: string, parameters: Parameters): string {
  const inText = typeof wanted === 'string' ? `when 'string' then strpos(${field} #>> '{}', ${parameters.add(wanted)}::text) > 0` : ''
  return `case jsonb_typeof(${field}) when 'array' then (${field}) @> ${parameters.add(JSON.stringify([wanted]))}::jsonb ${inText} else false end`
}

function orderCondition(
  { op, value }: { op: 'lt' | 'lte' | 'gt' | 'gte'; value: Scalar },
  { field, path, parameters }: { field: string; path: string; parameters: Parameters },
): string {
  if (typeof value === 'number') {
    return `(jsonb_typeof(${field}) = 'number' and (${field}) ${COMPARISONS[op]} ${parameters.add(JSON.stringify(value))}::jsonb)`
  }
  if (typeof value !== 'string') throw invalid(`${path}.value`, 'Must be a number or text, to be less or greater')
  return `(jsonb_typeof(${field}) = 'string' and (${field} #>> '{}') collate "C" ${COMPARISONS[op]} ${parameters.add(value)}::text)`
}

function invalid(path: string, message: string): ServiceError {
  return new ServiceError('INVALID', 'The input does not fit', { details: [{ path, message }] })
}
