import type { ErrorCode } from '@dot-do/worker-types'
import { ERROR_TABLE, Markup, markup, toPascalCase } from '@dot-do/worker-utils'
import { operationsOf, toolOf, type ApiDocument, type Described, type Schema, type Tool } from './document.ts'
import { codeBlock, operationArticle, schemaArticle, toolArticle } from './operation.ts'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

/** Where the page stands, for its examples, and the one service it is of, if not of all. */
export interface PagePlace {
  origin: string
  service?: string | undefined
}

interface Section {
  name: string
  description: string
  operations: Described[]
  /** Tools that no path leads to. */
  tools: Tool[]
  schemas: [name: string, schema: Schema][]
}

/** What each code tells whoever asked. */
const MEANINGS: Record<ErrorCode, string> = {
  INVALID: 'The input does not fit; details name the fields',
  UNAUTHENTICATED: 'Nobody says who asks',
  FORBIDDEN: 'Whoever asks lacks the permission',
  NOT_FOUND: 'It is not there, or not yours to see',
  CONFLICT: 'Somebody else was first, or the key stands for another input',
  TOO_LARGE: 'The body is over its limit',
  RATE_LIMITED: 'Too many requests; Retry-After says when to come back',
  INTERNAL: 'A fault of ours; the requestId finds it',
  UPSTREAM: 'Somebody we asked failed',
  UNAVAILABLE: 'It cannot be done now; try again soon',
}

const REFUSAL = {
  success: false,
  error: { code: 'INVALID', message: 'The input does not fit', details: [{ path: '$type', message: 'Unknown field' }], requestId: 'req_…' },
}

/** The reference page of the merged document: markup alone, which needs no script to be read. */
export function referencePage(document: ApiDocument, { origin, service }: PagePlace): string {
  const sections = document.tags.filter(({ name }) => service === undefined || name === service).map((tag) => sectionOf(document, tag))
  const title = service ?? document.info.title
  const content = sections.map((section) => sectionMarkup(section, { document, origin, isAlone: service !== undefined }))
  return markup`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${title}: API reference</title><link rel="icon" href="data:,"><style>${new Markup(STYLE)}</style></head><body>
<a class="skip" href="#main">Skip to the reference</a><header class="top"><a class="brand" href="/docs"><b>${document.info.title}</b> API reference</a>
<input id="filter" type="search" placeholder="Filter" aria-label="Filter operations" aria-keyshortcuts="/" autocomplete="off" hidden><a href="/openapi.json">OpenAPI</a></header>
<nav aria-label="Operations">${sections.map(contentsOf)}${service !== undefined && markup`<p><a href="/docs">All services</a></p>`}</nav>
<main id="main"><p id="none" role="status" hidden>Nothing here is called so.</p>${introduction(document, origin, title)}${content}</main>
<script>${new Markup(SCRIPT)}</script></body></html>`.text
}

function sectionOf(document: ApiDocument, { name, description }: { name: string; description: string }): Section {
  const operations = operationsOf(document, name)
  const known = new Set(operations.map(toolOf))
  const tools = document['x-tools'].filter((tool) => tool.name.startsWith(`${name}_`) && !known.has(tool.name))
  const prefix = toPascalCase(name)
  return { name, description, operations, tools, schemas: Object.entries(document.components.schemas).filter(([schema]) => schema.startsWith(prefix)) }
}

function contentsOf({ name, operations, tools }: Section): Markup {
  const entries = [...operations.map(({ operationId, method }) => [operationId, method]), ...tools.map((tool) => [tool.name, 'MCP'])] as [string, string][] // as the two lists make them
  const links = entries.map(
    ([id, kind]) => markup`<li data-of="${id}"><a href="#${id}">${id.slice(name.length + 1)} <b class="${kind.toLowerCase()}">${kind}</b></a>`,
  )
  return markup`<section><h2><a href="#${name}">${name}</a></h2><ul>${links}</ul></section>`
}

function introduction({ info }: ApiDocument, origin: string, title: string): Markup {
  const errors = Object.entries(MEANINGS).map(
    ([code, meaning]) => markup`<tr><th scope="row"><code>${ERROR_TABLE[code as ErrorCode].status}</code> ${code}</th><td>${meaning}</td></tr>`, // a key of the table above
  )
  return markup`<section class="intro"><article><div><h1>${title} <small>${info.version}</small></h1>
<p>Every operation is one promise with up to four interfaces: HTTP as below, RPC over a service binding, a tool for agents, a message in a queue. The same input, the same permission, the same answer.</p>
<p>Send an API key as <code>Authorization: Bearer sk_…</code> or <code>X-API-Key</code>. Agents find all tools at <code>${origin}/mcp</code>.</p>
<h2 id="errors"><a href="#errors">Errors</a></h2><table>${errors}</table></div>
<div class="shown">${codeBlock('An answer', JSON.stringify({ success: true, data: {} }, null, 2))}${codeBlock('A refusal', JSON.stringify(REFUSAL, null, 2))}</div></article></section>`
}

function sectionMarkup({ name, description, operations, tools, schemas }: Section, place: { document: ApiDocument; origin: string; isAlone: boolean }): Markup {
  const link = !place.isAlone && markup` <a href="/docs/${name}">On a page of its own</a>`
  return markup`<section><div class="lead"><h2 id="${name}"><a href="#${name}">${name}</a></h2><p>${description}.${link}</p></div>
${operations.map((operation) => operationArticle(operation, place))}${tools.map(toolArticle)}${schemas.map(([schema, form]) => schemaArticle(schema, form))}</section>`
}
