import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Contract } from '@dot-do/worker-contracts/contract'
import { ROOT } from './root.ts'

/** Every contract of the platform, by name: the files of packages/contracts/src that export one under their own name. */
export async function contracts(): Promise<Contract[]> {
  const folder = join(ROOT, 'packages/contracts/src')
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort()
  const found = await Promise.all(files.map((file) => exportedContract(join(folder, file), file.slice(0, -3))))
  return found.filter((contract) => contract !== undefined)
}

async function exportedContract(path: string, name: string): Promise<Contract | undefined> {
  const module = (await import(pathToFileURL(path).href)) as Record<string, unknown>
  const exported = module[name]
  return typeof exported === 'object' && exported !== null && 'operations' in exported ? (exported as Contract) : undefined
}
