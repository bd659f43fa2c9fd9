import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { contracts } from './contracts.ts'
import { generatedFiles, staleOf } from './generated.ts'
import { ROOT } from './root.ts'

/** `pnpm generate` writes docs/openapi/*.json, the operations tables of the READMEs and docs/graph.svg from the contracts and the Workers' configuration; with `--check` it only says which are not fresh, and fails. */
const check = process.argv.includes('--check')

for (const { file, wanted } of staleOf(await generatedFiles(ROOT, await contracts()))) {
  if (check) {
    console.error(`${file} is not fresh: run \`pnpm generate\` and review the diff`)
    process.exitCode = 1
  } else {
    await mkdir(dirname(join(ROOT, file)), { recursive: true })
    await writeFile(join(ROOT, file), wanted)
    console.log(`wrote ${file}`)
  }
}
