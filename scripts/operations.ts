import type { AnyOperation, Contract } from '@dot-do/worker-contracts/contract'

const BEGIN = '<!-- operations -->'
const END = '<!-- /operations -->'

/** A README with the table of a contract's operations between its markers; undefined for one without markers. */
export function withOperations(readme: string, contract: Contract): string | undefined {
  const begin = readme.indexOf(BEGIN)
  const end = readme.indexOf(END, begin)
  if (begin === -1 || end === -1) return undefined
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${operationsTable(contract)}\n\n${readme.slice(end)}`
}

/** The operations of a contract as a Markdown table, padded as prettier pads it. R is RPC, H HTTP, M an MCP tool, Q the queue. */
export function operationsTable(contract: Contract): string {
  const rows = Object.entries(contract.operations).map(([name, operation]) => cellsOf(name, operation))
  const cells = [['Operation', 'Summary', 'Interfaces', 'HTTP', 'Permission', 'Repeat'], ...rows]
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const [header, ...body] = cells.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column] ?? 0))))
  return [header, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n')
}

function line(cells: string[]): string {
  return `| ${cells.join(' | ')} |`
}

function cellsOf(name: string, operation: AnyOperation): string[] {
  const interfaces = ['R', operation.http && 'H', operation.tool && 'M', operation.queue && 'Q'].filter(Boolean)
  const route = operation.http ? code(operation.http) : ''
  return [code(name), operation.summary.replaceAll('|', '\\|'), interfaces.join(' '), route, code(operation.permission), operation.repeat]
}

function code(text: string): string {
  return `\`${text}\``
}
