import type { Problem } from './problem.ts'
import { runTool } from './tools.ts'

/** Every file is as prettier writes it. */
export async function format(root: string): Promise<Problem[]> {
  const { code, stdout, stderr } = await runTool('prettier', ['--list-different', '.'], root)
  const problems = lines(stdout).map((file) => ({ file, message: 'is not formatted: run `pnpm format`' }))
  if (code === 0 || problems.length > 0) return problems
  return lines(stderr).map((message) => ({ file: '.', message }))
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '')
}
