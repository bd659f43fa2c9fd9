import { expect, it } from 'vitest'
import { Agenda } from '../../src/clock/agenda.ts'

const NOON = Date.parse('2027-03-14T12:00:00Z')
const bell = (id: string, at: number | null) => ({ worker: 'bells', className: 'Bell', id, at })

it('puts crons before alarms and alarms before messages of the same moment, crons by name, alarms as they were set', () => {
  const agenda = new Agenda()
  agenda.schedule(
    [
      { worker: 'queue', cron: '0 * * * *' },
      { worker: 'auth', cron: '0 * * * *' },
    ],
    NOON - 1,
  )
  agenda.note({ alarms: [bell('b', NOON), bell('a', NOON), bell('early', NOON - 1)], nextMessageAt: NOON })

  const order = []
  for (let due = agenda.next(NOON); due; due = agenda.next(NOON)) {
    agenda.strike(due, NOON)
    order.push('cron' in due ? due.cron.worker : 'alarm' in due ? due.alarm.id : 'messages')
  }

  expect(order).toEqual(['early', 'auth', 'queue', 'b', 'a', 'messages'])
})

it('says nothing of what is due later', () => {
  const agenda = new Agenda()
  agenda.note({ alarms: [bell('a', NOON)], nextMessageAt: null })

  expect(agenda.next(NOON - 1)).toBeUndefined()
})

it('forgets an alarm that was taken back, and moves one that was set anew', () => {
  const agenda = new Agenda()
  agenda.note({ alarms: [bell('a', NOON), bell('b', NOON)], nextMessageAt: null })

  agenda.note({ alarms: [bell('a', null), bell('b', NOON + 5)], nextMessageAt: null })

  expect(agenda.next(NOON + 5)).toMatchObject({ at: NOON + 5, alarm: { id: 'b' } })
})

it('keeps what is due of a cron through a reload that leaves it as it is', () => {
  const agenda = new Agenda()
  const cron = { worker: 'queue', cron: '0 * * * *' }
  agenda.schedule([cron], NOON - 1)

  agenda.schedule([cron], NOON + 60_000)

  expect(agenda.next(NOON)).toMatchObject({ at: NOON })
})
