import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openapi } from '@dot-do/worker-kernel/openapi'
import { contracts } from './contracts.ts'
import { ROOT } from './root.ts'

/** `pnpm generate` writes docs/openapi/*.json from the contracts; with `--check` it only says which are not fresh, and fails. */
const check = process.argv.includes('--check')
const folder = join(ROOT, 'docs/openapi')
await mkdir(folder, { recursive: true })

for (const contract of await contracts()) {
  const path = join(folder, `${contract.name}.json`)
  const wanted = `${JSON.stringify(openapi(contract), null, 2)}\n`
  const present = await readFile(path, 'utf8').catch(() => '')
  if (present === wanted) continue
  if (check) {
    console.error(`docs/openapi/${contract.name}.json is not what the contract promises: run \`pnpm generate\` and review the diff`)
    process.exitCode = 1
  } else {
    await writeFile(path, wanted)
    console.log(`wrote docs/openapi/${contract.name}.json`)
  }
}
