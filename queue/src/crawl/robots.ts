/** What a robots.txt says to one crawler (RFC 9309). */
export interface Robots {
  /** Whether it may ask for a path, which comes with its query. */
  allows(path: string): boolean
}

interface Rule {
  isAllowed: boolean
  pattern: string
}

/** RFC 9309 §2.5 lets a crawler stop reading after 500 KiB. */
export const ROBOTS_BYTES = 500 * 1024

/** As many rules of one group are kept; the rest of a longer file forbids nothing. */
const MOST_RULES = 5_000

/** Where there is no robots.txt, everything is allowed. */
export const OPEN: Robots = { allows: () => true }

/** Where it cannot be read, for now, nothing is (RFC 9309 §2.3.1.4). */
export const CLOSED: Robots = { allows: () => false }

/** Reads a robots.txt for the crawler of that name: the groups that name it, or else those for `*`. */
export function parseRobots(text: string, crawler: string): Robots {
  const groups = groupsOf(text)
  const rules = (groups.get(crawler.toLowerCase()) ?? groups.get('*') ?? []).slice(0, MOST_RULES)
  return { allows: (path) => path === '/robots.txt' || verdict(rules, normalised(path)) }
}

/** The rules by the crawlers they are for; groups that name the same one are one. */
function groupsOf(text: string): Map<string, Rule[]> {
  const groups = new Map<string, Rule[]>()
  let names: string[] = []
  let isNaming = false
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    const { field, value } = fieldOf(line)
    if (field === 'user-agent') {
      names = isNaming ? [...names, agentOf(value)] : [agentOf(value)]
      for (const name of names) groups.set(name, groups.get(name) ?? [])
    }
    const isRule = field === 'allow' || field === 'disallow'
    if (isRule && value !== '') names.forEach((name) => groups.get(name)?.push({ isAllowed: field === 'allow', pattern: normalised(value) }))
    isNaming = field === 'user-agent' || (isNaming && !isRule)
  }
  return groups
}

function fieldOf(line: string): { field: string; value: string } {
  const [said = ''] = line.split('#')
  const colon = said.indexOf(':')
  return colon < 0 ? { field: '', value: '' } : { field: said.slice(0, colon).trim().toLowerCase(), value: said.slice(colon + 1).trim() }
}

/** A crawler's name ends where letters, `_` and `-` do: `Bot/1.0` names `bot`. */
function agentOf(value: string): string {
  return value === '*' ? '*' : (/^[A-Za-z_-]+/.exec(value)?.[0] ?? '').toLowerCase()
}

/** The rule with the longest pattern decides; of two as long, the one that allows. */
function verdict(rules: readonly Rule[], path: string): boolean {
  let best: Rule | undefined
  for (const rule of rules) {
    const isBetter = !best || rule.pattern.length > best.pattern.length || (rule.pattern.length === best.pattern.length && rule.isAllowed)
    if (isBetter && fits(rule.pattern, path)) best = rule
  }
  return best?.isAllowed ?? true
}

/**
 * Whether a path begins as the pattern says, in which `*` stands for anything, and `$` at the end for the end. The parts between stars are looked for from left to
 * right, each as early as it is found: that takes time in proportion to the path, where a regular expression may take for ever.
 */
function fits(pattern: string, path: string): boolean {
  const isAnchored = pattern.endsWith('$')
  const [first = '', ...rest] = (isAnchored ? pattern.slice(0, -1) : pattern).split('*')
  if (!path.startsWith(first)) return false
  const last = isAnchored ? rest.pop() : undefined
  if (isAnchored && last === undefined) return path === first
  let at = first.length
  for (const part of rest) {
    const found = path.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return last === undefined || (path.endsWith(last) && path.length - last.length >= at)
}

/** The same path written differently is the same: escapes in capitals, and none where none is needed (RFC 9309 §2.2.2). */
function normalised(path: string): string {
  const encoded = path.replaceAll(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character.toWellFormed()))
  return encoded.replaceAll(/%[0-9a-fA-F]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase()
  })
}
