import { setTimeout } from 'node:timers/promises'
import { openConnection, type HttpConnection } from './http-connection.ts'
import { latencyOf, type Latency } from './statistics.ts'

/** What is asked for again and again. */
export interface Target {
  url: string
  method: string
  headers: Record<string, string>
  /** `{n}` becomes another number in each request. */
  body?: string
  /** Any other status is a failure of the measurement. */
  status: number
}

/** How the load arrives: `closed`, a connection asks again once it was answered; `open`, requests come at a constant rate whether or not earlier ones were answered. */
export type Arrival = { kind: 'closed'; connections: number } | { kind: 'open'; perSecond: number; connections: number }

/** One stretch of load. */
export interface Stretch {
  target: Target
  arrival: Arrival
  durationMs: number
}

/** What a stretch gave. Latencies of an open load count from when a request was due, not from when it could be sent. */
export interface Outcome {
  requests: number
  elapsedMs: number
  latency: Latency
  /** Answers with another status than the expected, by status. */
  unexpected: Record<string, number>
}

interface Tally {
  latenciesMs: number[]
  unexpected: Record<string, number>
  expected: number
}

let counter = 0

/** Runs one stretch on connections of its own; opening them is not part of it. */
export async function load({ target, arrival, durationMs }: Stretch): Promise<Outcome> {
  const { hostname, port } = new URL(target.url)
  const connections = await Promise.all(Array.from({ length: arrival.connections }, () => openConnection(hostname, Number(port))))
  const tally: Tally = { latenciesMs: [], unexpected: {}, expected: target.status }
  const next = requestsFor(target)
  const start = performance.now()
  try {
    if (arrival.kind === 'closed') await Promise.all(connections.map((connection) => askUntil(start + durationMs, connection, { next, tally })))
    else await askAtRate(connections, { next, tally, perSecond: arrival.perSecond, start, durationMs })
    const elapsedMs = performance.now() - start
    return { requests: tally.latenciesMs.length, elapsedMs, latency: latencyOf(tally.latenciesMs), unexpected: tally.unexpected }
  } finally {
    for (const connection of connections) connection.close()
  }
}

/** Requests as they go over the wire; made once where nothing in them changes. */
function requestsFor({ url, method, headers, body = '' }: Target): () => Buffer {
  const { host, pathname, search } = new URL(url)
  const head = [`${method} ${pathname}${search} HTTP/1.1`, `Host: ${host}`, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)].join('\r\n')
  const withBody = (text: string) => Buffer.from(`${head}${text === '' ? '' : `\r\nContent-Length: ${Buffer.byteLength(text)}`}\r\n\r\n${text}`)
  if (body.includes('{n}')) return () => withBody(body.replace('{n}', String(counter++)))
  const request = withBody(body)
  return () => request
}

function count({ latenciesMs, unexpected, expected }: Tally, latencyMs: number, status: number): void {
  latenciesMs.push(latencyMs)
  if (status !== expected) unexpected[status] = (unexpected[status] ?? 0) + 1
}

async function askUntil(end: number, connection: HttpConnection, { next, tally }: { next: () => Buffer; tally: Tally }): Promise<void> {
  for (let sentAt = performance.now(); sentAt < end;) {
    const status = await connection.exchange(next())
    const now = performance.now()
    count(tally, now - sentAt, status)
    sentAt = now
  }
}

interface Schedule {
  next: () => Buffer
  tally: Tally
  perSecond: number
  start: number
  durationMs: number
}

/** A request that is due while every connection is busy waits, and its waiting counts; so does the lateness of timers, up to a millisecond. */
async function askAtRate(connections: HttpConnection[], { next, tally, perSecond, start, durationMs }: Schedule): Promise<void> {
  const total = Math.round((perSecond * durationMs) / 1000)
  let taken = 0
  const worker = async (connection: HttpConnection): Promise<void> => {
    for (let mine = taken++; mine < total; mine = taken++) {
      const dueAt = start + (mine * 1000) / perSecond
      const early = dueAt - performance.now()
      if (early > 0) await setTimeout(Math.ceil(early))
      const status = await connection.exchange(next())
      count(tally, performance.now() - dueAt, status)
    }
  }
  await Promise.all(connections.map(worker))
}
