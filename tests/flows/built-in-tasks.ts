import { expect } from 'vitest'
import { eventually } from '../eventually.ts'
import { admin, rpc, type Loose } from './client.ts'

/** Rows by SQL, under the role of the service whose tables they are. */
export async function sql(service: string, text: string): Promise<unknown[][]> {
  const { value, error } = await rpc(`DB_AS_${service.toUpperCase()}`, 'execute', { statements: [{ sql: text, params: [] }] })
  if (!value) throw new Error(JSON.stringify(error))
  return (value as unknown as { results: { rows: unknown[][] }[] }).results[0]?.rows ?? []
}

/** Runs a task now, and waits until it is over; what its job answered. */
export async function run(task: string): Promise<Loose> {
  const { status, data, text } = await admin(`/schedule/tasks/${task}/run`, { body: {} })
  if (status !== 200) throw new Error(text)
  const { id } = data['execution'] ?? {}
  const ended = await eventually(async () => {
    const { data: execution } = await admin(`/schedule/executions/${String(id)}`)
    expect(execution).toMatchObject({ finishedAt: expect.any(String) })
    return execution
  })
  expect(ended).toMatchObject({ state: 'completed', error: null, taskName: task })
  return ended['result'] as Loose
}
