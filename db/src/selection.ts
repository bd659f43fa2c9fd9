import { conditionOf, type Filter } from './filter.ts'
import { parseGlob, PAST_ALL, type Glob } from './glob.ts'
import { Parameters } from './parameters.ts'

export { Parameters, type Filter }

/** Which things of a namespace are meant. */
export interface Selection {
  ns: string
  /** A glob of ids, perhaps with `::Type`; a plain id names one. */
  id?: string | undefined
  type?: string | undefined
  filter?: Filter[] | undefined
}

/** What is true of the things of a selection, as SQL over `db.things t`; deleted ones are never among them. INVALID, with its path, for a filter that makes no sense. */
export function conditionsOf(selection: Selection, parameters: Parameters): string {
  const { ns, types, id, glob } = placeOf(selection)
  const conditions = [`t.ns = ${parameters.add(ns)}`, 't.deleted_at is null', ...types.map((type) => `t.type = ${parameters.add(type)}`)]
  if (id !== undefined) conditions.push(`t.id = ${parameters.add(id)}`)
  if (glob) conditions.push(`t.id >= ${parameters.add(glob.prefix)}`, `t.id < ${parameters.add(glob.end)}`)
  return [...conditions, ...looks(selection, glob, parameters)].join(' and ')
}

/**
 * `where … order by …` over `db.things t` for the things of a selection after an id, in the order of ids.
 *
 * It is said so that PostgreSQL walks along an index and stops when there are enough, whatever it knows of the rows. Without statistics, and the embedded one has none,
 * it takes a namespace, `is null` and any comparison inside of data for so rare that it would read and sort all of it instead. It thinks better of a range of rows, and
 * takes a CASE for as likely as not.
 */
export function inOrder(selection: Selection, after: string, parameters: Parameters): string {
  const { ns, types, id, glob } = placeOf(selection)
  const first = id ?? glob?.prefix ?? ''
  const from = after !== '' && after >= first ? { is: '>', id: parameters.add(after) } : { is: '>=', id: parameters.add(first) }
  const to = id === undefined ? { is: '<', id: parameters.add(glob?.end ?? PAST_ALL) } : { is: '<=', id: parameters.add(id) }
  const space = parameters.add(ns)
  const ofType = types.map((type) => `t.type = ${parameters.add(type)}`)
  const looked = `case when ${['t.deleted_at is null', ...looks(selection, glob, parameters)].join(' and ')} then true else false end`
  if (types.length === 0)
    return `where (t.ns, t.id) ${from.is} (${space}, ${from.id}) and (t.ns, t.id) ${to.is} (${space}, ${to.id}) and ${looked} order by t.ns, t.id`
  // Those of a type are next to each other in an index of their own, by id.
  return `where t.ns = ${space} and ${ofType.join(' and ')} and t.id ${from.is} ${from.id} and t.id ${to.is} ${to.id} and ${looked} order by t.id`
}

/** The same for the public things of a selection, along an index that holds no others: what is private costs those who look at what is public nothing. */
export function publicInOrder(selection: Selection, after: string, parameters: Parameters): string {
  const { ns, types, id, glob } = placeOf(selection)
  const first = id ?? glob?.prefix ?? ''
  const from = after !== '' && after >= first ? `> ${parameters.add(after)}` : `>= ${parameters.add(first)}`
  const to = id === undefined ? `< ${parameters.add(glob?.end ?? PAST_ALL)}` : `<= ${parameters.add(id)}`
  const looked = [...types.map((type) => `t.type = ${parameters.add(type)}`), ...looks(selection, glob, parameters)]
  const wanted = looked.length === 0 ? '' : ` and case when ${looked.join(' and ')} then true else false end`
  return `where t.visibility = 'public' and t.deleted_at is null and t.ns = ${parameters.add(ns)} and t.id ${from} and t.id ${to}${wanted} order by t.ns, t.id`
}

interface Place {
  ns: string
  /** Each type that is asked for; two different ones are no thing's. */
  types: string[]
  id?: string
  glob?: Glob
}

/** Where in the indexes a selection is. `::Note` and `Thing::Note` say nothing of the id. */
function placeOf({ ns, id: path, type }: Selection): Place {
  const [named = '', suffix] = path?.split('::') ?? []
  const types = [type, suffix].filter((one) => one !== undefined)
  if (path === undefined || (suffix !== undefined && (named === '' || named === 'Thing'))) return { ns, types }
  const glob = parseGlob(named)
  return glob ? { ns, types, glob } : { ns, types, id: named }
}

/** What is looked at thing by thing. */
function looks({ filter = [] }: Selection, glob: Glob | undefined, parameters: Parameters): string[] {
  const fits = glob ? [`t.id ~ ${parameters.add(glob.pattern)}`] : []
  return [...fits, ...filter.map((one, index) => conditionOf(one, `filter.${index}`, parameters))]
}
