import { refusal } from './refusal.ts'

/** `service` reads and adds rows; `owner` makes the tables besides. */
export type Role = 'service' | 'owner'

/** A statement as the engine's own parser writes it: one statement, without comments, keywords in capitals, names in backticks where need be. */
export interface Statement {
  text: string
  role: Role
  parameters: ReadonlyMap<string, string>
}

const READS = /^(SELECT|WITH|SHOW|DESCRIBE|EXISTS|EXPLAIN)\b/
const OWNER_WRITES =
  /^(CREATE (OR REPLACE )?(TABLE|VIEW|MATERIALIZED VIEW)|ALTER TABLE|DROP (TABLE|VIEW)|TRUNCATE TABLE|OPTIMIZE TABLE|RENAME TABLE|INSERT INTO|DELETE FROM)\b/

/** Tables that keep their rows in the engine's own directory or in memory. */
const ENGINES = /^((Replacing|Summing|Aggregating|Collapsing|VersionedCollapsing|Coalescing)?MergeTree|Memory|Null|View|MaterializedView)$/

/**
 * Functions that read this machine's files and ask for no right. A function may be named without being called, `arrayMap(file, …)`, so the mere name is refused;
 * after a dot it can only be a column's.
 */
const REACHING_NAMES = new Set(['file', 'catboostevaluate'])

/** Where a table's rows lie. The engine refuses a place outside, but only after it has made the folder. */
const PLACES = new Set(['disk', 'storage_policy', 'table_disk'])

/** The client half of the engine acts on these before any right is asked for. */
const CLIENT_KEYWORDS = new Set(['OUTFILE', 'INFILE'])

/** A string, a name in quotes, a word or number, or a single character. */
const TOKEN = /\s*(?:('(?:[^'\\]|\\[^])*')|`((?:[^`\\]|\\[^])*)`|"((?:[^"\\]|\\[^])*)"|([\p{L}\p{N}_$]+)|([^'`"\s]))/uy

interface Token {
  kind: 'text' | 'name' | 'word' | 'sign'
  value: string
}

/**
 * Refuses what the engine itself would let pass: files by `file()` and by the client's clauses, tables that lie elsewhere, and what needs a session.
 * All else is the engine's own to refuse: rights on one database and on no source, no settings and no writes for the service. Answers the output format the text names.
 */
export function vet({ text, role, parameters }: Statement): string | undefined {
  if (!READS.test(text) && !(role === 'owner' && OWNER_WRITES.test(text))) throw headRefusal(text)
  const tokens = tokensOf(text)
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'word' && CLIENT_KEYWORDS.has(token.value.toUpperCase()))
      throw refusal('ACCESS_DENIED', `${token.value} is not served: files of this machine are out of reach`)
    if (isName(token) && tokens[index - 1]?.value !== '.') refuseReachingName(token.value)
    const engine = isWord(token, 'ENGINE') && tokens[index + 1]?.value === '=' ? tokens[index + 2]?.value : undefined
    if (engine !== undefined && !ENGINES.test(engine)) throw refusal('ACCESS_DENIED', `Tables of the engine ${engine} are not served`)
    if (isName(token) && PLACES.has(token.value.toLowerCase()) && tokens[index + 1]?.value === '=' && /^(CREATE|ALTER)\b/.test(text))
      throw refusal('ACCESS_DENIED', `The setting ${token.value} is not served: tables lie where the engine is`)
    const parameter = identifierParameter(tokens, index)
    if (parameter !== undefined) refuseReachingValue(parameters.get(parameter) ?? '')
  }
  return formatOf(tokens)
}

function headRefusal(text: string) {
  if (/^INSERT\b/.test(text)) return refusal('NOT_IMPLEMENTED', 'An INSERT is served as INSERT INTO table (columns) FORMAT name, with its rows behind it')
  const head = /^\w+( \w+)?/.exec(text)?.[0] ?? text.slice(0, 20)
  return refusal('ACCESS_DENIED', `${head} is not served to this user`)
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  const end = text.trimEnd().length
  while (TOKEN.lastIndex < end) {
    const [, string, backticked, quoted, word, sign] = TOKEN.exec(text) ?? []
    if (string !== undefined) tokens.push({ kind: 'text', value: string })
    else if (word !== undefined) tokens.push({ kind: 'word', value: word })
    else if (sign !== undefined) tokens.push({ kind: 'sign', value: sign })
    else if (backticked !== undefined || quoted !== undefined) tokens.push({ kind: 'name', value: (backticked ?? quoted ?? '').replace(/\\([^])/g, '$1') })
    else throw refusal('SYNTAX_ERROR', 'The statement cannot be read')
  }
  return tokens
}

const isName = ({ kind }: Token): boolean => kind === 'name' || kind === 'word'

const isWord = (token: Token | undefined, word: string): boolean => token?.kind === 'word' && token.value === word

function refuseReachingName(name: string): void {
  if (REACHING_NAMES.has(name.toLowerCase()))
    throw refusal('ACCESS_DENIED', `The name ${name} is not served: it is a function that reaches files of this machine`)
}

/** `{name:Identifier}`, whose value becomes a name. */
function identifierParameter(tokens: Token[], index: number): string | undefined {
  const [open, name, colon, type] = tokens.slice(index, index + 4)
  return open?.value === '{' && open.kind === 'sign' && colon?.value === ':' && isWord(type, 'Identifier') ? name?.value : undefined
}

/** Escapes are read only after this, so a name that needs one is not taken. */
function refuseReachingValue(value: string): void {
  if (!/^\w+(\.\w+)*$/.test(value)) throw refusal('BAD_ARGUMENTS', 'A parameter of type Identifier takes letters, digits, _ and dots')
  refuseReachingName(value)
}

/** What stands last, or before the settings. */
function formatOf(tokens: Token[]): string | undefined {
  const index = tokens.findLastIndex((token) => isWord(token, 'FORMAT'))
  const after = tokens[index + 2]
  return index >= 0 && (after === undefined || isWord(after, 'SETTINGS')) ? tokens[index + 1]?.value : undefined
}
