import { bindings } from './checks/bindings.ts'
import { bundles } from './checks/bundles.ts'
import { dependencies } from './checks/dependencies.ts'
import { docs } from './checks/docs.ts'
import { documents } from './checks/documents.ts'
import { floors } from './checks/floors.ts'
import { format } from './checks/format.ts'
import { idioms } from './checks/idioms.ts'
import { lint } from './checks/lint.ts'
import { shownProblem, type Check, type Problem } from './checks/problem.ts'
import { sizes } from './checks/sizes.ts'
import { types } from './checks/types.ts'
import { ROOT } from './root.ts'

/** `pnpm check [name …]` runs all checks, or those named, prints a line for each and every problem, and fails if there is one. */
const CHECKS: Record<string, Check> = { format, lint, idioms, types, floors, dependencies, bindings, documents, docs, sizes, bundles }

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in CHECKS))
if (unknown.length > 0) {
  console.error(`no check is called ${unknown.join(', ')}; there are: ${Object.keys(CHECKS).join(', ')}`)
  process.exit(1)
}

for (const [name, check] of Object.entries(CHECKS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const problems = await check(ROOT).catch(asProblem)
  console.log(problems.length === 0 ? `ok ${name}` : `!! ${name}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`)
  for (const problem of problems) console.log(`   ${shownProblem(problem)}`)
  if (problems.length > 0) process.exitCode = 1
}

/** A check that cannot run has not passed. */
function asProblem(thrown: unknown): Problem[] {
  return [{ file: '.', message: thrown instanceof Error ? thrown.message : String(thrown) }]
}
