import { shownProblem } from './checks/problem.ts'
import { compileAll } from './checks/types.ts'
import { ROOT } from './root.ts'

/** `pnpm typecheck` compiles every project of the workspace, says which fail and why. `pnpm check types` also finds files that belong to none. */
for (const { project, problems } of await compileAll(ROOT)) {
  console.log(problems.length === 0 ? `ok ${project}` : `!! ${project}`)
  for (const problem of problems) console.log(`   ${shownProblem(problem)}`)
  if (problems.length > 0) process.exitCode = 1
}
