/** A question taken apart, as PostgreSQL's web search reads it: what is wanted, and what must not be there. */
export interface Question {
  /** All of it: words, "phrases", OR and -not. */
  whole: string
  wanted: string
  /** Joined by OR; empty when nothing is unwanted. */
  unwanted: string
  /** Whether one thing or another will do. */
  isChoice: boolean
}

/** As many words of a question count; ranking by hundreds would take seconds, and no question needs them. */
const MAX_WORDS = 40

/** Takes a question apart. A slash parts words, as it does in what is searched. */
export function questionOf(q: string): Question {
  const whole = shortened(q.replaceAll('/', ' '))
  const unwanted: string[] = []
  const wanted = whole.replaceAll(/(?<=^|\s)-("[^"]*"?|[^\s"]+)/g, (_all, term: string) => {
    unwanted.push(term)
    return ' '
  })
  return { whole, wanted, unwanted: unwanted.join(' or '), isChoice: /(?:^|\s)or(?:\s|$)/i.test(wanted) }
}

function shortened(q: string): string {
  const words = q.trim().split(/\s+/)
  return words.length <= MAX_WORDS ? q : words.slice(0, MAX_WORDS).join(' ')
}
