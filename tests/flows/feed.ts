import { request } from 'undici'
import type { Loose } from './client.ts'

/** One event of a server-sent stream. */
export interface FeedEvent {
  id: string
  event: string
  data: Loose
}

/** A feed that is open. */
export interface OpenFeed {
  status: number
  headers: Record<string, string>
  /** So many more events; fails when the stream ends before. */
  events(count: number): Promise<FeedEvent[]>
  /** The id that a client would come back with, and everything between events: comments, ids, retry times. */
  lastId(): string
  /** Resolves once a comment has come. */
  comment(): Promise<string>
  close(): void
}

/** Where a feed is, and who asks for it. */
export interface FeedAddress {
  url: string
  key: string
  path?: string
  lastEventId?: string
}

/** Opens the change feed as an EventSource does. */
export async function openFeed({ url, key, path = '/db/changes', lastEventId }: FeedAddress): Promise<OpenFeed> {
  const gone = new AbortController()
  const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) }
  const answer = await request(url.replace('localhost', '127.0.0.1') + path, { headers, signal: gone.signal, bodyTimeout: 0 })
  const chunks = answer.body.setEncoding('utf8')[Symbol.asyncIterator]()
  const waiting: FeedEvent[] = []
  const comments: string[] = []
  let [rest, id] = ['', '']
  const more = async (): Promise<void> => {
    const { value, done } = (await chunks.next()) as IteratorResult<string, undefined>
    if (done) throw new Error('The feed ended')
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]))
      id = fields.get('id') ?? id
      const comment = fields.get('')
      const data = fields.get('data')
      if (comment !== undefined) comments.push(comment)
      if (data !== undefined) waiting.push({ id, event: fields.get('event') ?? 'message', data: JSON.parse(data) as Loose })
    }
  }
  return {
    status: answer.statusCode,
    headers: answer.headers as Record<string, string>,
    async events(count) {
      while (waiting.length < count) await more()
      return waiting.splice(0, count)
    },
    lastId: () => id,
    async comment() {
      while (comments.length === 0) await more()
      return comments.shift() ?? ''
    },
    close: () => gone.abort(),
  }
}
