import type { deploy } from '@dot-do/worker-contracts/deploy'
import type { Implementation } from '@dot-do/worker-kernel/implement'
import type { Env } from './env.ts'

/** The type of each operation's function, for the files it is spread over. */
export type Operations = Implementation<typeof deploy, Env>

/** What one operation is given, once parsed. */
export type Input<Name extends keyof Operations> = Parameters<Operations[Name]>[0]
