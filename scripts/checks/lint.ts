import type { Problem } from './problem.ts'
import { runTool } from './tools.ts'

/** What of oxlint's JSON is read. */
interface Report {
  diagnostics: { message: string; code?: string; filename: string; labels: { span: { line: number } }[] }[]
}

/** What oxlint finds by the rules of `.oxlintrc.json`; `oxlint-tsgolint` gives it types, so that it sees promises nobody waits for. */
export async function lint(root: string): Promise<Problem[]> {
  const { stdout, stderr } = await runTool('oxlint', ['--type-aware', '--config', '.oxlintrc.json', '--format', 'json', '.'], root)
  const { diagnostics } = parse(stdout, stderr)
  return diagnostics.map(({ filename, labels, message, code }) => {
    const line = labels[0]?.span.line
    return { file: filename, ...(line === undefined ? {} : { line }), message: code ? `${message} [${code}]` : message }
  })
}

function parse(stdout: string, stderr: string): Report {
  try {
    return JSON.parse(stdout) as Report
  } catch (cause) {
    throw new Error(`oxlint gave no report: ${stdout}${stderr}`.trim(), { cause })
  }
}
