import { CronExpressionParser } from 'cron-parser'
import { describe, expect, it } from 'vitest'
import { nextTimes } from '../src/timing.ts'

const EXPRESSIONS = 2000
const TIMES = 5

/** Numbers that are the same in every run (mulberry32), so that what fails once fails again. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

type Random = ReturnType<typeof randomOf>

/** A field of an expression: any, a number, a list, a range, a step. */
function field(random: Random, [least, most]: [number, number]): string {
  const one = () => least + random(most - least + 1)
  const [from = 0, to = 0] = [one(), one()].sort((a, b) => a - b)
  const step = 1 + random(Math.max(1, Math.floor((most - least) / 2)))
  const forms = ['*', '*', `${one()}`, `${one()}`, [...new Set([one(), one(), one()])].join(','), `${from}-${to}`, `*/${step}`, `${from}-${to}/${step}`]
  return forms[random(forms.length)] ?? '*'
}

function dayOfMonth(random: Random): string {
  return random(12) === 0 ? 'L' : field(random, [1, 28])
}

function dayOfWeek(random: Random): string {
  const forms = [
    () => field(random, [0, 6]),
    () => field(random, [0, 6]),
    () => `${random(7)}#${1 + random(4)}`,
    () => `${random(7)}L`,
    () => 'MON-FRI',
    () => '7',
  ]
  return (forms[random(forms.length)] ?? (() => '*'))()
}

function expression(random: Random): string {
  const fields = [field(random, [0, 59]), field(random, [0, 23]), dayOfMonth(random), field(random, [1, 12]), dayOfWeek(random)]
  return (random(3) === 0 ? [field(random, [0, 59]), ...fields] : fields).join(' ')
}

/** What another implementation says. */
function peerTimes(cron: string, from: number): number[] {
  const iterator = CronExpressionParser.parse(cron, { currentDate: new Date(from), tz: 'UTC' })
  return Array.from({ length: TIMES }, () => iterator.next().getTime())
}

describe('expressions made at random', () => {
  it('fire when cron-parser says', () => {
    const random = randomOf(20_261_121)
    const made = Array.from({ length: EXPRESSIONS }, () => ({
      cron: expression(random),
      from: Date.UTC(2026, random(12), 1 + random(28), random(24), random(60), random(60)),
    }))

    const differing = made.filter(({ cron, from }) => {
      return nextTimes({ cron, timezone: 'UTC' }, from, TIMES).join() !== peerTimes(cron, from).join()
    })

    expect(differing).toEqual([])
  })
})
