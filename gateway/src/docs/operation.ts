import { markup, type Markup, type Piece } from '@dot-do/worker-utils'
import { answerOf, bodyOf, methodOf, refusalsOf, toolOf, type ApiDocument, type Described, type Parameter, type Schema, type Tool } from './document.ts'
import { curlOf, exampleOf } from './example.ts'
import { parameterTable, schemaTable, typeOf } from './schema-table.ts'

const PLACES = { path: 'Path', query: 'Query', header: 'Headers' }

/** One operation: what it is for and what it takes on one side, how it is called on the other. */
export function operationArticle(operation: Described, { document, origin }: { document: ApiDocument; origin: string }): Markup {
  const { method, path, summary, description, parameters = [] } = operation
  const { schemas } = document.components
  const { statuses, schema } = answerOf(operation)
  const body = bodyOf(operation)
  const steps = path.split(/(\{\w+\})/).map((part) => (part.startsWith('{') ? markup`<i>${part}</i>` : part))
  const tables = Object.entries(PLACES).map(([place, title]) => titled(title, parametersIn(place, parameters)))
  const refusals = refusalsOf(operation).map(([status, code]) => markup`<a href="#errors"><b>${status}</b> ${code}</a> `)
  const answer = schema && codeBlock('Answer', JSON.stringify({ success: true, data: exampleOf(schema, schemas, { isWhole: true }) }, null, 2))
  const told = [
    description !== undefined && markup`<p>${description}</p>`,
    tables,
    body && titled('Body', form(body)),
    schema && titled(`Answer ${statuses.join(', ')}`, form(schema)),
    titled('Errors', markup`<p class="errors">${refusals}</p>`),
  ]
  return article({ id: operation.operationId, title: summary, kind: method, name: steps, about: interfaces(operation, document['x-tools']), told }, [
    codeBlock('Request', curlOf(operation, { schemas, origin })),
    answer,
  ])
}

/** A tool that no path leads to. */
export function toolArticle({ name, description, inputSchema }: Tool): Markup {
  return article({ id: name, title: description, kind: 'MCP', name, told: titled('Arguments', schemaTable(inputSchema)) })
}

/** A named schema. */
export function schemaArticle(name: string, schema: Schema): Markup {
  return article({ id: `schema-${name}`, title: name, told: schemaTable(schema) ?? typeOf(schema) })
}

interface Told {
  id: string
  title: string
  /** How it is reached: an HTTP method and a path, or a tool's name. */
  kind?: string
  name?: Piece
  about?: Piece
  told: Piece
}

function article({ id, title, kind, name, about, told }: Told, shown?: Piece): Markup {
  const route = kind !== undefined && markup`<p class="route"><b class="${kind.toLowerCase()}">${kind}</b> <code>${name}</code></p>`
  return markup`<article id="${id}"><div><header><h3><a href="#${id}">${title}</a></h3>${route}${about}</header>${told}</div><div class="shown">${shown}</div></article>`
}

/** A listing that can be copied as a whole. */
export function codeBlock(title: string, code: string): Markup {
  return markup`<figure><figcaption>${title}</figcaption><pre tabindex="0"><code>${coloured(code)}</code></pre></figure>`
}

function interfaces(operation: Described, tools: Tool[]): Markup {
  const tool = toolOf(operation)
  const rows = {
    Permission: operation['x-permission'],
    RPC: `${operation.tags[0]?.toUpperCase()}_SERVICE.${methodOf(operation)}(input)`,
    ...(tools.some(({ name }) => name === tool) && { 'MCP tool': tool }),
  }
  return markup`<dl>${Object.entries(rows).map(([title, value]) => markup`<div><dt>${title}</dt><dd><code>${value}</code></dd></div>`)}</dl>`
}

function parametersIn(place: string, parameters: Parameter[]): Piece {
  const there = parameters.filter((parameter) => parameter.in === place)
  return there.length > 0 && parameterTable(there)
}

function form(schema: Schema): Piece {
  return [schema.$ref !== undefined || schema.items || !schema.properties ? markup`<p class="type">${typeOf(schema)}</p>` : undefined, schemaTable(schema)]
}

function titled(title: string, content: Piece): Piece {
  return content && markup`<h4>${title}</h4>${content}`
}

/** Texts, names of fields and other values, each in a colour of its own; of a command's words those in single quotes are texts too. */
function coloured(code: string): Piece[] {
  const tokens = code.startsWith('curl') ? /('(?:[^']|'\\'')*'|"[^"]*")/ : /("(?:[^"\\]|\\.)*"|\b(?:true|false|null|-?\d+(?:\.\d+)?)\b(?=,?$))/m
  return code.split(tokens).map((part, index, parts) => {
    if (index % 2 === 0) return part
    const kind = /^[^"']/.test(part) ? 'n' : parts[index + 1]?.startsWith(':') ? 'k' : 's'
    return markup`<span class="${kind}">${part}</span>`
  })
}
