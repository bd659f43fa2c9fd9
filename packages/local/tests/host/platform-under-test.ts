import { cp, mkdtemp, rm } from 'node:fs/promises'
import { request, type RequestOptions } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { PlatformEvent } from '../../src/host/events.ts'
import { startPlatform, type Platform, type PlatformOptions } from '../../src/host/platform.ts'

/** A workspace of toy services in a folder of its own, that goes when the test ends. */
export async function workspace(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'workspace-'))
  onTestFinished(() => rm(root, { recursive: true, force: true, maxRetries: 5 }))
  await cp(join(import.meta.dirname, '../fixtures/workspace'), root, { recursive: true })
  return root
}

/** Events as they come, and the one that is waited for. */
export interface EventLog {
  seen: PlatformEvent[]
  /** The first event, seen already or to come, that fits. */
  next(fits: (event: PlatformEvent) => boolean): Promise<PlatformEvent>
  onEvent(event: PlatformEvent): void
}

export function eventLog(): EventLog {
  const seen: PlatformEvent[] = []
  const waiting = new Set<(event: PlatformEvent) => void>()
  return {
    seen,
    next: (fits) =>
      new Promise((resolve) => {
        const found = seen.find(fits)
        if (found) return resolve(found)
        const wait = (event: PlatformEvent) => {
          if (!fits(event)) return
          waiting.delete(wait)
          resolve(event)
        }
        waiting.add(wait)
      }),
    onEvent(event) {
      seen.push(event)
      for (const wait of waiting) wait(event)
    },
  }
}

/** Starts a platform on a free port that stops when the test ends. */
export async function started(options: Partial<PlatformOptions> & { root: string }): Promise<Platform> {
  const platform = await startPlatform({ stateDir: '.local', port: 0, ...options })
  onTestFinished(() => platform.stop())
  return platform
}

/** What a path of the platform answers, read as text. */
export async function get(platform: { url: string }, path: string): Promise<string> {
  return (await fetch(`${platform.url}${path}`)).text()
}

/** As `get`, with a Host header, which `fetch` does not let one set. */
export function getByHost(port: number, host: string, path: string): Promise<string> {
  return read({ host: '127.0.0.1', port, path, headers: { host } })
}

/** As `get`, at one address of this machine. */
export function getAt(address: string, port: number, path: string): Promise<string> {
  return read({ host: address, port, path })
}

function read(options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    request(options, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })
}
