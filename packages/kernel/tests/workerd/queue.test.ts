import type { QueueMessage } from '@dot-do/worker-types'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'

const writer: QueueMessage['principal'] = { id: 'key_a', kind: 'key', tenant: 'default', permissions: ['notes:write'] }

function message(id: string, text: string, principal = writer): QueueMessage {
  return { id, operation: 'create', input: { text }, principal }
}

/** How many notes of the fixture have this text. It numbers them from 1, and no file here makes as many as are looked for. */
async function notesSaying(text: string): Promise<number> {
  const ids = Array.from({ length: 30 }, (_, index) => `note_${index + 1}`)
  const notes = await Promise.all(ids.map(async (id) => (await env.READER.fetch(`http://notes.do/notes/${id}`)).text()))
  return notes.filter((note) => note.includes(`"text":"${text}"`)).length
}

/** What lies dead and bears a mark. */
async function found(mark: string): Promise<unknown[]> {
  const dead = (await (await env.MORGUE.fetch('http://morgue/')).json()) as unknown[]
  return dead.filter((body) => JSON.stringify(body).includes(mark))
}

describe('a queue', () => {
  it('brings its messages to the operation, and each has its effect once', async () => {
    await env.NOTES_QUEUE.sendBatch([message('msg_1', 'queued'), message('msg_1', 'queued'), message('msg_2', 'last')].map((body) => ({ body })))

    await expect.poll(() => notesSaying('last'), { timeout: 10_000 }).toBe(1)
    expect(await notesSaying('queued')).toBe(1)
  })

  it.each([
    ['that is no message', 'poison-1', 'poison-1'],
    ['of an operation that is not queued', 'poison-2', { ...message('poison-2', 'a'), operation: 'seal' }],
    ['without the permission', 'poison-3', message('poison-3', 'a', { ...writer, permissions: [] })],
  ])('lays what cannot be done, here something %s, into its dead letter queue, whole', async (_, mark, body) => {
    await env.NOTES_QUEUE.send(body)

    await expect.poll(() => found(mark), { timeout: 10_000 }).toEqual([body])
  })

  it('keeps on delivering behind a message that cannot be done', async () => {
    await env.NOTES_QUEUE.sendBatch([{ body: 'poison-4' }, { body: message('msg_3', 'behind') }])

    await expect.poll(() => notesSaying('behind'), { timeout: 10_000 }).toBe(1)
  })
})
