import { join } from 'node:path'
import { makePrivateDirectory, readIfThere, writeDurably } from './durable-file.ts'
import { Turns } from './turns.ts'

/** Who takes a queue's messages. */
export interface QueueConsumer {
  consumer_id: string
  type: 'worker'
  /** A Worker's name. */
  script: string
  dead_letter_queue?: string
  settings: Record<string, unknown>
}

/** A queue by its account's words; no message is ever in it. */
export interface Queue {
  queue_id: string
  queue_name: string
  created_on: string
  modified_on: string
  consumers: QueueConsumer[]
}

/** One time that a Worker's version became the one that answers. */
export interface WorkerDeployment {
  id: string
  versionId: string
  createdOn: string
  message?: string
}

/** What a Worker has besides its script. */
export interface WorkerTriggers {
  /** Newest first; the last ten. */
  deployments: WorkerDeployment[]
  subdomain: { enabled: boolean; previews_enabled: boolean }
  domains: string[]
  crons: string[]
}

/** All that an account has besides scripts. */
export interface AccountState {
  queues: Queue[]
  kvNamespaces: { id: string; title: string }[]
  buckets: { name: string; creation_date: string }[]
  workers: Record<string, WorkerTriggers>
}

/** An account's resources and its Workers' triggers, in a directory. What an update has answered survives `kill -9`. */
export interface Account {
  /** As it is now; a change to it is no update. */
  readonly state: Readonly<AccountState>
  /** Changes the state and answers what the change does; to throw is to change nothing. Updates take turns. */
  update<Result>(change: (draft: AccountState) => Result): Promise<Result>
}

const EMPTY: AccountState = { queues: [], kvNamespaces: [], buckets: [], workers: {} }

/** Opens an account's state in a directory, which is made when absent. */
export async function openAccount(dir: string): Promise<Account> {
  await makePrivateDirectory(dir)
  const file = join(dir, 'account.json')
  const text = await readIfThere(file)
  let state: AccountState = text === undefined ? EMPTY : { ...EMPTY, ...JSON.parse(text.toString()) }
  const turns = new Turns()
  return {
    get state() {
      return state
    },
    update: (change) =>
      turns.run('', async () => {
        const draft = structuredClone(state)
        const result = change(draft)
        await writeDurably(file, JSON.stringify(draft))
        state = draft
        return result
      }),
  }
}

/** What a Worker has that was never given anything. */
export function noTriggers(): WorkerTriggers {
  return { deployments: [], subdomain: { enabled: false, previews_enabled: false }, domains: [], crons: [] }
}
