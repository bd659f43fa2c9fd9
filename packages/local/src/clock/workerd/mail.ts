import type { Consumer, StepReport } from '../protocol.ts'
import { dialOf, planOf, type Env } from './environment.ts'
import type { Delivery } from './within.ts'

interface Message extends Delivery {
  queue: string
  dueAt: number
}

/** Messages that are to be delivered, the first that came first. As with Miniflare, they live as long as the process. */
let waiting: Message[] = []
let delivered: StepReport['delivered'] = []
let count = 0
let isDelivering = false
let now: number | undefined

/** Sets the time that delays are counted by. */
export function setMailTime(time: number): void {
  now = time
}

/** Takes messages for a queue. */
export function accept(queue: string, messages: { body: unknown; delaySeconds?: number | undefined }[], env: Env): void {
  now ??= planOf(env).now
  for (const { body, delaySeconds } of messages) post({ queue, body, attempts: 1, timestamp: now, delaySeconds })
}

/** Delivers all that is due, one batch after another, each as soon as the one before has been dealt with: a batch does not wait to be full. */
export async function deliverDue(env: Env): Promise<void> {
  if (isDelivering) return
  isDelivering = true
  try {
    for (let batch = takeBatch(env); batch; batch = takeBatch(env)) await deliver(batch.consumer, batch.messages, env)
  } finally {
    isDelivering = false
  }
}

/** Whether something is being delivered, or could be. */
export function isMailMoving(): boolean {
  return isDelivering || waiting.some(isDue)
}

/** When the next message is due; null where none is. */
export function nextMessageAt(): number | null {
  return waiting.length === 0 ? null : Math.min(...waiting.map(({ dueAt }) => dueAt))
}

/** What was delivered since this was last asked. */
export function takeDelivered(): StepReport['delivered'] {
  const taken = delivered
  delivered = []
  return taken
}

function isDue({ dueAt }: Message): boolean {
  return dueAt <= (now ?? 0)
}

/** The oldest message that is due, with others of its queue. What nobody consumes is dropped. */
function takeBatch(env: Env): { consumer: Consumer; messages: Message[] } | undefined {
  const { consumers } = planOf(env)
  waiting = waiting.filter(({ queue }) => consumers[queue] !== undefined)
  const queue = waiting.find(isDue)?.queue
  const consumer = queue === undefined ? undefined : consumers[queue]
  if (!consumer) return undefined
  const messages = waiting.filter((message) => message.queue === queue && isDue(message)).slice(0, consumer.maxBatchSize)
  const taken = new Set(messages)
  waiting = waiting.filter((message) => !taken.has(message))
  return { consumer, messages }
}

async function deliver(consumer: Consumer, messages: Message[], env: Env): Promise<void> {
  const [{ queue } = { queue: '' }] = messages
  const deliveries = messages.map(({ id, body, timestamp, attempts }) => ({ id, body, timestamp, attempts }))
  try {
    const returned = new Map(await dialOf(env, consumer.worker).runQueue(queue, deliveries))
    for (const message of messages) if (returned.has(message.id)) comeAgain(message, consumer, returned.get(message.id))
    delivered.push({ queue, messages: messages.length })
  } catch (error) {
    for (const message of messages) comeAgain(message, consumer)
    delivered.push({ queue, messages: messages.length, failure: error instanceof Error ? error.message : String(error) })
  }
}

/** After its last attempt a message goes to the queue for dead ones, or nowhere. */
function comeAgain(
  { queue, body, attempts, timestamp }: Message,
  { maxRetries, deadLetterQueue, retryDelaySeconds }: Consumer,
  delaySeconds = retryDelaySeconds,
): void {
  if (attempts <= maxRetries) post({ queue, body, attempts: attempts + 1, timestamp, delaySeconds })
  else if (deadLetterQueue !== undefined) post({ queue: deadLetterQueue, body, attempts: 1, timestamp: now ?? timestamp })
}

function post({ delaySeconds = 0, ...message }: Omit<Message, 'id' | 'dueAt'> & { delaySeconds?: number | undefined }): void {
  waiting.push({ ...message, id: `message-${++count}`, dueAt: (now ?? message.timestamp) + delaySeconds * 1000 })
}
