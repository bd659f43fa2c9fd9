import { contracts } from '../contracts.ts'
import { generatedFiles, staleOf } from '../generated.ts'
import { filesUnder } from './files.ts'
import type { Problem } from './problem.ts'
import { runTool } from './tools.ts'

/** What is generated from the contracts and the configuration is fresh, and keeps the rules of OpenAPI. */
export async function documents(root: string): Promise<Problem[]> {
  return [...(await staleDocuments(root, await contracts())), ...(await brokenDocuments(root))]
}

/** Generated files that are not as the contracts promise, and documents that outlived their contract. */
export async function staleDocuments(root: string, promised: Parameters<typeof generatedFiles>[1]): Promise<Problem[]> {
  const stale = staleOf(await generatedFiles(root, promised))
  const names = new Set(promised.map(({ name }) => `docs/openapi/${name}.json`))
  const orphans = (await filesUnder(root)).filter((file) => /^docs\/openapi\/.*\.json$/.test(file) && !names.has(file))
  return [
    ...stale.map(({ file }) => ({ file, message: 'is not fresh: run `pnpm generate` and review the diff' })),
    ...orphans.map((file) => ({ file, message: 'belongs to no contract: remove it' })),
  ]
}

/** What of Redocly's JSON is read. */
interface RedoclyReport {
  problems: { message: string; ruleId: string; severity: string; location: { source: { ref: string }; pointer: string; start?: { line: number } }[] }[]
}

/** Documents that break the rules of OpenAPI, or those of `redocly.yaml`. */
export async function brokenDocuments(root: string): Promise<Problem[]> {
  const { stdout, stderr } = await runTool('redocly', ['lint', '--format', 'json', '--config', 'redocly.yaml', 'docs/openapi/*.json'], root)
  if (!stdout.startsWith('{')) throw new Error(`redocly gave no report: ${stdout}${stderr}`)
  // It prints one JSON object per document, one right after the other.
  const reports = JSON.parse(`[${stdout.replaceAll(/^\}\{$/gm, '},{')}]`) as RedoclyReport[]
  const problems = reports.flatMap((report) => report.problems)
  return problems.map(({ message, ruleId, location: [place] }) => {
    const line = place?.start?.line
    return { file: place?.source.ref ?? 'docs/openapi', ...(line === undefined ? {} : { line }), message: `${message} [${ruleId}]` }
  })
}
