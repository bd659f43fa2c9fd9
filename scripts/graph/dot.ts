import type { CallEdge, Graph, GraphWorker, OtherEdge } from './model.ts'

const INK = '#22303c'
const QUIET = '#5b6b78'
const BLUE = '#2b6cb0'
const ORANGE = '#c05621'
/** Graphviz knows the widths of its letters. */
export const FONT = 'Arial'

const LINE_CHARACTERS = 46

/** How each kind of way is drawn, and what the legend says of it. */
const WAYS = {
  call: { color: BLUE, style: 'solid', says: 'may call, in its own name' },
  delegated: { color: ORANGE, style: 'bold', says: 'may call, in the name of whoever asks too' },
  request: { color: INK, style: 'bold', says: 'requests from outside' },
  dispatch: { color: INK, style: 'dashed', says: 'runs published workers, which call out through it' },
  deliver: { color: QUIET, style: 'dashed', says: 'messages of queues, and objects of another Worker' },
} as const

/** Writes the graph in Graphviz' language (https://graphviz.org/doc/info/lang.html): the same for the same graph. */
export function dotOf(graph: Graph): string {
  const ids = new Set(graph.edges.flatMap(({ from, to }) => [from, to]))
  const others = [...ids].filter((id) => !graph.workers.some(({ name }) => name === id)).sort()
  return [
    'digraph house {',
    `graph [rankdir=TB, bgcolor="#fbfaf6", pad=0.4, nodesep=0.6, ranksep=0.6, fontname="${FONT}", fontsize=20, fontcolor="${INK}", labelloc=t, label="Who may call whom, and with which permissions\\n ", newrank=true]`,
    `node [shape=plain, fontname="${FONT}", fontsize=12, fontcolor="${INK}"]`,
    `edge [fontname="${FONT}", fontsize=10, fontcolor="${INK}", arrowsize=0.8, penwidth=1.3]`,
    ...graph.workers.map(workerNode),
    ...others.map(otherNode),
    ...graph.edges.map((edge) => (edge.kind === 'call' ? callEdge(edge) : otherEdge(edge))),
    legend(graph),
    '}',
  ].join('\n')
}

/** A name in quotes. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** A text within a label of Graphviz' kind of HTML, or within XML. */
export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function card(rows: string[], { border = INK, fill = '#ffffff' } = {}): string {
  return `<<table border="1" cellborder="0" cellspacing="0" cellpadding="4" color="${border}" bgcolor="${fill}" style="rounded">${rows.map((row) => `<tr><td align="left">${row}</td></tr>`).join('')}</table>>`
}

const counted = (operations: number): string => `${operations} operation${operations === 1 ? '' : 's'}`

const small = (text: string): string => `<font point-size="10" color="${QUIET}">${text}</font>`

function workerNode({ name, interfaces, permissions, durableObjects, holds }: GraphWorker): string {
  const offered =
    interfaces && Object.entries({ RPC: interfaces.rpc, HTTP: interfaces.http, MCP: interfaces.mcp, queue: interfaces.queue }).filter(([, count]) => count > 0)
  const rows = [
    `<b><font point-size="15">${escaped(name)}</font></b>`,
    ...(interfaces ? [counted(interfaces.rpc)] : []),
    ...(offered ? [small(offered.map(([way, count]) => `${way} ${count}`).join(' · '))] : []),
    ...wrapped(Object.entries(permissions).map(([permission, count]) => `${permission} ${count}`)).map((line) => small(escaped(line))),
    ...(durableObjects.length > 0 ? [small(`Durable Objects: ${escaped(durableObjects.join(', '))}`)] : []),
    ...holds.map((held) => small(escaped(held))),
  ]
  return `${quoted(name)} [label=${card(rows)}, tooltip=${quoted(name)}]`
}

function otherNode(id: string): string {
  const [kind, queue = ''] = id.split(':')
  if (kind === 'queue')
    return `${quoted(id)} [label=${card([small('queue'), escaped(queue)], { border: QUIET, fill: '#f0eee6' })}, tooltip=${quoted(`queue ${queue}`)}]`
  const says = id === 'outside' ? ['<b>anybody</b>', small('people, keys, other machines')] : ['<b>published workers</b>', small('in dispatch namespaces')]
  return `${quoted(id)} [label=${card(says, { border: QUIET, fill: '#f0eee6' })}, tooltip=${quoted(id)}]`
}

/** What a caller may do in its own name, and then in others'. */
function callEdge(edge: CallEdge): string {
  const { from, to, binding, permissions, delegate, allowed, operations } = edge
  const { color, style } = delegate ? WAYS.delegated : WAYS.call
  const own = permissions.length === 0 ? [] : permissions
  const reach = allowed === undefined ? [] : [`${allowed} of ${counted(operations ?? 0)}`]
  const spoken = delegate ? [`for others: ${delegate.includes('*') ? 'whatever they may' : delegate.join(', ')}`] : []
  const rows = [
    ...own.map((permission) => escaped(permission)),
    ...reach.map((text) => `<font color="${QUIET}">${text}</font>`),
    ...spoken.map((text) => `<font color="${ORANGE}">${escaped(text)}</font>`),
  ]
  const tooltip = `${from} → ${to} by ${binding}${edge.principal === undefined ? ', as a stranger' : ` as ${edge.principal}`}`
  return `${quoted(from)} -> ${quoted(to)} [color="${color}", style=${style}, label=${edgeLabel(rows)}, tooltip=${quoted(tooltip)}, labeltooltip=${quoted(tooltip)}]`
}

function edgeLabel(rows: string[]): string {
  return `<<table border="0" cellborder="0" cellspacing="0" cellpadding="1" bgcolor="#fbfaf6">${rows.map((row) => `<tr><td align="left">${row}</td></tr>`).join('')}</table>>`
}

function otherEdge({ kind, from, to, by }: OtherEdge): string {
  const way = kind === 'request' ? WAYS.request : kind === 'dispatch' || kind === 'outbound' ? WAYS.dispatch : WAYS.deliver
  const rows = by.map((name) => small(escaped(name)))
  return `${quoted(from)} -> ${quoted(to)} [color="${way.color}", style=${way.style}, label=${edgeLabel(rows)}, tooltip=${quoted(`${from} → ${to}: ${kind}`)}]`
}

/** Parts joined in lines of a width that a card has. */
function wrapped(parts: string[]): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + part.length < LINE_CHARACTERS) lines[lines.length - 1] = `${last} · ${part}`
    else lines.push(part)
  }
  return lines
}

/** Beside everything: the kinds of ways there are in this graph. */
function legend({ edges }: Graph): string {
  const there = new Set(
    edges.map((edge) =>
      edge.kind === 'call'
        ? edge.delegate
          ? 'delegated'
          : 'call'
        : edge.kind === 'outbound'
          ? 'dispatch'
          : edge.kind === 'request' || edge.kind === 'dispatch'
            ? edge.kind
            : 'deliver',
    ),
  )
  const rows = Object.entries(WAYS).filter(([kind]) => there.has(kind as keyof typeof WAYS))
  const lines = rows.map(([, { color, says }]) => `<tr><td align="left"><font color="${color}"><b>→</b></font></td><td align="left">${small(says)}</td></tr>`)
  const cards = `<tr><td></td><td align="left">${small('in a card: operations by interface, then by the permission that they need')}</td></tr>`
  return `subgraph cluster_legend { label=""; color=none; legend [label=<<table border="0" cellborder="0" cellspacing="0" cellpadding="2">${lines.join('')}${cards}</table>>, tooltip="legend"] }`
}
