import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contract } from '@dot-do/worker-contracts/contract'
import { openapi } from '@dot-do/worker-kernel/openapi'
import { GRAPH_FILE, pictureOf, readGraph } from './graph/graph.ts'
import { withOperations } from './operations.ts'

/** A file that is made from the contracts and the Workers' configuration, wholly or in part. */
export interface GeneratedFile {
  /** Relative to the root. */
  file: string
  /** Absent, if there is no such file yet. */
  present: string | undefined
  wanted: string
}

/** Everything generated: an OpenAPI document per contract, the table of operations in the README of each service that has a place for it, the graph of the Workers. */
export async function generatedFiles(root: string, contracts: Contract[]): Promise<GeneratedFile[]> {
  const files = contracts.map(async (contract) => [await documentOf(root, contract), ...(await readmeOf(root, contract))])
  return [...(await Promise.all(files)).flat(), ...(await pictureFile(root, contracts))]
}

/** What differs from what it is made from. */
export function staleOf(files: GeneratedFile[]): GeneratedFile[] {
  return files.filter(({ present, wanted }) => present !== wanted)
}

async function documentOf(root: string, contract: Contract): Promise<GeneratedFile> {
  const file = `docs/openapi/${contract.name}.json`
  return { file, present: await read(root, file), wanted: `${JSON.stringify(openapi(contract), null, 2)}\n` }
}

async function readmeOf(root: string, contract: Contract): Promise<GeneratedFile[]> {
  const file = `${contract.name}/README.md`
  const present = await read(root, file)
  const wanted = present === undefined ? undefined : withOperations(present, contract)
  return wanted === undefined ? [] : [{ file, present, wanted }]
}

async function pictureFile(root: string, contracts: Contract[]): Promise<GeneratedFile[]> {
  const graph = await readGraph(root, contracts)
  return graph ? [{ file: GRAPH_FILE, present: await read(root, GRAPH_FILE), wanted: await pictureOf(graph) }] : []
}

function read(root: string, file: string): Promise<string | undefined> {
  return readFile(join(root, file), 'utf8').catch(() => undefined)
}
