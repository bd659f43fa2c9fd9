import type { queue } from '@dot-do/worker-contracts/queue'
import type { Implementation } from '@dot-do/worker-kernel/implement'
import type { Env } from './env.ts'

/** The type of each operation's function, for the files it is spread over. */
export type Operations = Implementation<typeof queue, Env>
