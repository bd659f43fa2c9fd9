import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contract } from '@dot-do/worker-contracts/contract'
import { openapi } from '@dot-do/worker-kernel/openapi'
import { withOperations } from './operations.ts'

/** A file that is made from the contracts, wholly or in part. */
export interface GeneratedFile {
  /** Relative to the root. */
  file: string
  /** Absent, if there is no such file yet. */
  present: string | undefined
  wanted: string
}

/** Everything generated: an OpenAPI document per contract, and the table of operations in the README of each service that has a place for it. */
export async function generatedFiles(root: string, contracts: Contract[]): Promise<GeneratedFile[]> {
  const files = contracts.map(async (contract) => [await documentOf(root, contract), ...(await readmeOf(root, contract))])
  return (await Promise.all(files)).flat()
}

/** What differs from what the contracts promise. */
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

function read(root: string, file: string): Promise<string | undefined> {
  return readFile(join(root, file), 'utf8').catch(() => undefined)
}
