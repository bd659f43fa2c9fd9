import type { schedule } from '@dot-do/worker-contracts/schedule'
import type { Implementation } from '@dot-do/worker-kernel/implement'
import type { Env } from './env.ts'

/** The type of each operation's function, for the files it is spread over. */
export type Operations = Implementation<typeof schedule, Env>
