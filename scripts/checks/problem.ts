/** Something that a check found, and where. */
export interface Problem {
  /** Relative to the root, with forward slashes. */
  file: string
  /** The first line is 1. */
  line?: number
  message: string
}

/** Looks at the tree under a root and says what is wrong with it; no problem is an empty list. It changes nothing. */
export type Check = (root: string) => Promise<Problem[]>

/** A problem as an editor or terminal can jump to it. */
export function shownProblem({ file, line, message }: Problem): string {
  return line === undefined ? `${file}: ${message}` : `${file}:${line}: ${message}`
}
