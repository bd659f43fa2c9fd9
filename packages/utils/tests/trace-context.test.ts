import { describe, expect, it } from 'vitest'
import { childTraceparent, parseTraceparent, traceId } from '../src/trace-context.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

describe('parseTraceparent', () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [`01-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-holds`, true],
  ])('reads %s', (header, sampled) => {
    expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, sampled })
  })

  it.each([
    undefined,
    null,
    '',
    'nonsense',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01 `,
    `cc-${TRACE}-${SPAN}-01.more`,
    `00-${TRACE}-${SPAN}-1`,
    `cc-${TRACE}-${SPAN}-01-${'x'.repeat(1000)}`,
  ])('refuses %j', (header) => {
    expect(parseTraceparent(header)).toBeUndefined()
  })
})

describe('childTraceparent', () => {
  it('keeps the trace and the sampling and makes a new span', () => {
    const parent = `00-${TRACE}-${SPAN}-00`

    const child = parseTraceparent(childTraceparent(parent))

    expect(child).toMatchObject({ traceId: TRACE, sampled: false })
    expect(child?.spanId).not.toBe(SPAN)
  })

  it.each([undefined, 'nonsense'])('begins a new trace without a valid parent: %j', (parent) => {
    const header = childTraceparent(parent)

    expect(header).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(traceId(header)).toBe(parseTraceparent(header)?.traceId)
  })

  it('never makes the same span twice, also when the random pool is refilled', () => {
    const spans = Array.from({ length: 5000 }, () => childTraceparent(`00-${TRACE}-${SPAN}-01`))

    expect(new Set(spans).size).toBe(5000)
  })
})
