import type { trusts } from '../tables.ts'
import type { Job } from './job.ts'

/** A row of the table of trusts: one rule. */
export type TrustRow = typeof trusts.$inferSelect

/** Whether a rule is about a job. A rule that names a branch or an environment is never about a job that has none. */
export function isAbout(rule: TrustRow, job: Job): boolean {
  return (
    isRepository(rule.repository, job.repository) &&
    (rule.pinnedId === null || rule.pinnedId === pinOf(rule, job)) &&
    (rule.branch === null || (job.branch !== undefined && fitsGlob(rule.branch, job.branch))) &&
    (rule.environment === null || rule.environment === job.environment)
  )
}

/** GitHub's id of what a rule names: of the repository, or of the owner where all of an owner's are trusted. */
export function pinOf(rule: Pick<TrustRow, 'repository'>, job: Job): string {
  return rule.repository.endsWith('/*') ? job.ownerId : job.repositoryId
}

/** GitHub's names differ in more than case. */
function isRepository(pattern: string, repository: string): boolean {
  const [wanted, found] = [pattern.toLowerCase(), repository.toLowerCase()]
  return wanted.endsWith('/*') ? found.startsWith(wanted.slice(0, -1)) : found === wanted
}

/** Whether a name fits a pattern in which `*` stands for anything within a segment; nothing else in it has a meaning. */
export function fitsGlob(pattern: string, name: string): boolean {
  const [patterns, names] = [pattern.split('/'), name.split('/')]
  return patterns.length === names.length && patterns.every((part, index) => fitsSegment(part, names[index] ?? ''))
}

/** The stars are tried from left to right, each as short as it may be: that takes time in proportion to both lengths, where a regular expression may take for ever. */
function fitsSegment(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return pattern === name
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at <= name.length - last.length
}
