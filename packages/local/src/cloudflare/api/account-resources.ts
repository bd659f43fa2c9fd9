import * as z from 'zod'
import { CloudflareError } from '../errors.ts'
import type { Queue, QueueConsumer } from '../store/account.ts'
import { accountOf } from './account-upload.ts'
import { readJson } from './body.ts'
import type { Call, Route } from './context.ts'
import { pageOf, succeed, succeedWithPage } from './envelope.ts'

const QUEUES = '/accounts/:account/queues'
const KV = '/accounts/:account/storage/kv/namespaces'
const BUCKETS = '/accounts/:account/r2/buckets'

/** How many of each kind an account may have, since they are held in memory. */
const MOST = 1000

const queueName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a queue is named by at most 63 lower-case letters, digits and hyphens')
const bucketName = z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, 'a bucket is named by 3 to 63 lower-case letters, digits and hyphens')

const Consumer = z.object({
  type: z.literal('worker', 'only Workers take messages here'),
  script_name: z.string(),
  dead_letter_queue: z.string().optional(),
  settings: z.record(z.string(), z.unknown()).default({}),
})

/** What Workers are bound to besides each other: queues, KV namespaces and R2 buckets, by name and never with anything in them. */
export const accountResourceRoutes: Route[] = [
  ['GET', QUEUES, listQueues],
  ['POST', QUEUES, createQueue],
  ['GET', `${QUEUES}/:queue`, (call) => succeed(shownQueue(queueOf(call)))],
  ['DELETE', `${QUEUES}/:queue`, deleteQueue],
  ['GET', `${QUEUES}/:queue/consumers`, (call) => succeed(queueOf(call).consumers)],
  ['POST', `${QUEUES}/:queue/consumers`, addConsumer],
  ['PUT', `${QUEUES}/:queue/consumers/:consumer`, setConsumer],
  ['DELETE', `${QUEUES}/:queue/consumers/:consumer`, removeConsumer],
  ['GET', KV, (call) => succeedWithPage(pageOf(accountOf(call).state.kvNamespaces, call.url))],
  ['POST', KV, createKvNamespace],
  ['GET', BUCKETS, (call) => succeed({ buckets: accountOf(call).state.buckets })],
  ['GET', `${BUCKETS}/:bucket`, getBucket],
  ['POST', BUCKETS, createBucket],
]

/** Each `name` in the query adds the queue of that name. */
function listQueues(call: Call): Response {
  const names = call.url.searchParams.getAll('name')
  const found = accountOf(call).state.queues.filter(({ queue_name }) => names.length === 0 || names.includes(queue_name))
  return succeedWithPage(pageOf(found.map(shownQueue), call.url))
}

async function createQueue(call: Call): Promise<Response> {
  const { queue_name } = await readJson(call.request, z.object({ queue_name: queueName }))
  const now = new Date(call.context.now()).toISOString()
  const queue = await accountOf(call).update(({ queues }): Queue => {
    if (queues.some((one) => one.queue_name === queue_name)) {
      throw new CloudflareError(409, 11_009, `Queue name '${queue_name}' is already taken. Please use a different name and try again.`)
    }
    refuseTooMany(queues)
    const made: Queue = { queue_id: newId(), queue_name, created_on: now, modified_on: now, consumers: [] }
    queues.push(made)
    return made
  })
  return succeed(shownQueue(queue))
}

async function deleteQueue(call: Call): Promise<Response> {
  const { queue_id } = queueOf(call)
  await accountOf(call).update((draft) => {
    draft.queues = draft.queues.filter((queue) => queue.queue_id !== queue_id)
  })
  return succeed(null)
}

async function addConsumer(call: Call): Promise<Response> {
  const consumer = await readConsumer(call)
  await updateQueue(call, (queue) => {
    if (queue.consumers.length > 0) throw new CloudflareError(409, 11_004, `Queue "${queue.queue_name}" already has a consumer`)
    queue.consumers.push(consumer)
  })
  return succeed(consumer)
}

async function setConsumer(call: Call): Promise<Response> {
  const consumer = { ...(await readConsumer(call)), consumer_id: String(call.params['consumer']) }
  await updateQueue(call, (queue) => {
    const index = queue.consumers.findIndex(({ consumer_id }) => consumer_id === consumer.consumer_id)
    if (index === -1) throw noConsumer()
    queue.consumers[index] = consumer
  })
  return succeed(consumer)
}

async function removeConsumer(call: Call): Promise<Response> {
  await updateQueue(call, (queue) => {
    const left = queue.consumers.filter(({ consumer_id }) => consumer_id !== call.params['consumer'])
    if (left.length === queue.consumers.length) throw noConsumer()
    queue.consumers = left
  })
  return succeed(null)
}

/** A consumer whose Worker and whose queue for what fails are there. */
async function readConsumer(call: Call): Promise<QueueConsumer> {
  const { script_name: script, dead_letter_queue, settings, type } = await readJson(call.request, Consumer)
  const { store, accountNamespace } = call.context
  if (accountNamespace === undefined || (await store.getScript(accountNamespace, script)) === undefined) {
    throw new CloudflareError(400, 11_101, `script_name: there is no Worker ${script.slice(0, 255)}`)
  }
  const known = accountOf(call).state.queues.some(({ queue_name }) => queue_name === dead_letter_queue)
  if (dead_letter_queue !== undefined && !known) throw new CloudflareError(400, 11_000, `dead_letter_queue: Queue "${dead_letter_queue}" does not exist`)
  return { consumer_id: newId(), type, script, settings, ...(dead_letter_queue === undefined ? {} : { dead_letter_queue }) }
}

async function createKvNamespace(call: Call): Promise<Response> {
  const { title } = await readJson(call.request, z.object({ title: z.string().min(1).max(512) }))
  const namespace = await accountOf(call).update(({ kvNamespaces }) => {
    if (kvNamespaces.some((one) => one.title === title)) throw new CloudflareError(400, 10_014, `A namespace with the title ${title} exists already`)
    refuseTooMany(kvNamespaces)
    const made = { id: newId(), title }
    kvNamespaces.push(made)
    return made
  })
  return succeed({ ...namespace, supports_url_encoding: true })
}

function getBucket(call: Call): Response {
  const bucket = accountOf(call).state.buckets.find(({ name }) => name === call.params['bucket'])
  if (bucket === undefined) throw new CloudflareError(404, 10_006, 'The specified bucket does not exist.')
  return succeed(bucket)
}

async function createBucket(call: Call): Promise<Response> {
  const { name } = await readJson(call.request, z.object({ name: bucketName }))
  const bucket = await accountOf(call).update(({ buckets }) => {
    if (buckets.some((one) => one.name === name)) throw new CloudflareError(409, 10_004, 'The bucket you tried to create already exists, and you own it.')
    refuseTooMany(buckets)
    const made = { name, creation_date: new Date(call.context.now()).toISOString() }
    buckets.push(made)
    return made
  })
  return succeed(bucket)
}

function queueOf(call: Call): Queue {
  return queueIn(accountOf(call).state.queues, call)
}

function queueIn(queues: readonly Queue[], { params }: Call): Queue {
  const queue = queues.find(({ queue_id }) => queue_id === params['queue'])
  if (queue === undefined) throw new CloudflareError(404, 11_000, 'The queue does not exist')
  return queue
}

function updateQueue(call: Call, change: (queue: Queue) => void): Promise<void> {
  return accountOf(call).update(({ queues }) => {
    const queue = queueIn(queues, call)
    change(queue)
    queue.modified_on = new Date(call.context.now()).toISOString()
  })
}

function shownQueue(queue: Queue): object {
  return { ...queue, producers: [], producers_total_count: 0, consumers_total_count: queue.consumers.length }
}

function noConsumer(): CloudflareError {
  return new CloudflareError(404, 11_004, 'The consumer does not exist')
}

function refuseTooMany(existing: readonly unknown[]): void {
  if (existing.length >= MOST) throw new CloudflareError(400, 10_000, `This account has ${MOST} of these, and may have no more`)
}

/** 32 hex digits, as Cloudflare's. */
function newId(): string {
  return crypto.randomUUID().replaceAll('-', '')
}
