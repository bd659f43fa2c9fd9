import { stripVTControlCharacters } from 'node:util'
import { expect, it } from 'vitest'
import type { PlatformEvent } from '../../src/host/events.ts'
import { plainScreen, terminalScreen } from '../../src/host/screen.ts'

const request = JSON.stringify({
  time: '2026-11-21T08:00:00.000Z',
  level: 'info',
  event: 'request',
  method: 'GET',
  path: '/db/things',
  status: 200,
  durationMs: 4,
  requestId: 'req_1',
})

function shown(screen: typeof plainScreen, ...events: PlatformEvent[]): string[] {
  const lines: string[] = []
  const listener = screen((line) => lines.push(stripVTControlCharacters(line)))
  for (const event of events) listener(event)
  return lines
}

it('shows a request to people as one line: when, what, outcome, how long', () => {
  const [line] = shown(terminalScreen, { type: 'log', level: 'log', message: request })

  expect(line).toMatch(/^\d\d:\d\d:\d\d GET \/db\/things 200 4 ms requestId=req_1$/)
})

it('shows a stack to people with its line breaks', () => {
  const message = JSON.stringify({ level: 'error', event: 'failed', error: { message: 'no', stack: 'Error: no\n    at db/src/service.ts:1:1' } })

  const [line] = shown(terminalScreen, { type: 'log', level: 'error', message })

  expect(line).toMatch(/failed\n {2}Error: no\n {4}at db\/src\/service\.ts:1:1$/)
})

it('shows text that is no log line as it is', () => {
  const lines = shown(terminalScreen, { type: 'log', level: 'log', message: 'just words' }, { type: 'log', level: 'log', message: '{"no":"event"}' })

  expect(lines).toEqual(['just words', '{"no":"event"}'])
})

it('writes one JSON object a line where nobody watches, whatever a Worker wrote', () => {
  const lines = shown(
    plainScreen,
    { type: 'log', level: 'log', message: request },
    { type: 'log', level: 'warn', message: 'just words' },
    { type: 'refused', message: 'broken' },
    { type: 'restarted' },
  )

  expect(lines.map((line) => JSON.parse(line))).toEqual([
    JSON.parse(request),
    { level: 'warn', event: 'console', message: 'just words' },
    { level: 'warn', event: 'host.refused', message: 'broken\nWhat ran before still runs.' },
    { level: 'warn', event: 'host.restarted', message: "The Workers' runtime had died and runs again" },
  ])
})

it('tells each step of the start with its time', () => {
  const event: PlatformEvent = { type: 'step', name: 'bundles', elapsedMs: 41.6 }

  expect(shown(plainScreen, event)).toEqual(['bundles 42 ms'])
  expect(shown(terminalScreen, event)).toEqual(['  ✓ bundles      42 ms'])
})
