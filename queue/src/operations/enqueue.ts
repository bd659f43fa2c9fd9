import type { NewJob } from '../enqueuing.ts'
import { enqueueAll } from '../enqueuing.ts'
import type { Operations } from '../operations.ts'

export const enqueue: Operations['enqueue'] = async (input, call) => {
  const [enqueued] = await enqueueAll([input satisfies NewJob], call, { answerOf: firstOf })
  return firstOf(enqueued ? [enqueued] : [])
}

export const enqueueBatch: Operations['enqueueBatch'] = async ({ ns, jobs }, call) => {
  const answerOf = <Enqueued>(enqueued: Enqueued[]) => ({ jobs: enqueued })
  const paths = jobs.map((_job, index) => `jobs.${index}.`)
  return answerOf(
    await enqueueAll(
      jobs.map((job) => ({ ...job, ns })),
      call,
      { answerOf, paths },
    ),
  )
}

function firstOf<Enqueued>([first]: Enqueued[]): Enqueued {
  if (first === undefined) throw new TypeError('One job asked for is one job answered')
  return first
}
