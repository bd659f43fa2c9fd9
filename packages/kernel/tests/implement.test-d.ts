import { command, contract, query } from '@dot-do/worker-contracts/contract'
import type { Call } from '@dot-do/worker-kernel/call'
import { implement, type Implementation } from '@dot-do/worker-kernel/implement'
import { expectTypeOf } from 'vitest'
import * as z from 'zod'

interface Env {
  greeting: string
}

const hello = contract(
  'hello',
  { summary: 'Hello', version: '1.0.0' },
  {
    greet: query({
      summary: 'Greet',
      input: z.object({ name: z.string().default('you') }),
      output: z.object({ text: z.string(), times: z.int().default(1) }),
      permission: 'public',
    }),
    forget: command({
      summary: 'Forget',
      input: z.object({ name: z.string() }),
      output: z.object({ forgotten: z.boolean() }),
      permission: 'hello:write',
      repeat: 'natural',
    }),
  },
)
type Hello = Implementation<typeof hello, Env>
const document = { openapi: '3.1.1', 'x-tools': [] }
const forget: Hello['forget'] = () => ({ forgotten: true })

// Parameters are inferred: the parsed input, defaults filled in, and the call with the Worker's env. Defaults of the output may be left out.
const fitting: Hello = {
  greet: (input, call) => {
    expectTypeOf(input).toEqualTypeOf<{ name: string }>()
    expectTypeOf(call).toEqualTypeOf<Call<Env>>()
    return { text: `${call.env.greeting}, ${input.name}` }
  },
  forget: async ({ name }) => ({ forgotten: name !== '' }),
}
expectTypeOf(implement<typeof hello, Env>(hello, fitting, { document }).contract).toEqualTypeOf<typeof hello>()

// @ts-expect-error -- `forget` is missing
const missing: Hello = { greet: fitting.greet }

// @ts-expect-error -- `forgets` is in no contract
const unknown: Hello = { ...fitting, forgets: forget } satisfies Hello

const wrongOutput: Hello = {
  forget,
  // @ts-expect-error -- the text is missing from the output
  greet: () => ({ times: 2 }),
}

const wrongType: Hello = {
  forget,
  // @ts-expect-error -- the output's text is not a number, also not in a promise
  greet: async () => ({ text: 5 }),
}

const wrongInput: Hello = {
  forget,
  // @ts-expect-error -- the input has no `names`
  greet: ({ names }) => ({ text: String(names) }),
}

const wrongEnv: Hello = {
  forget,
  // @ts-expect-error -- the env has no `farewell`
  greet: (_, { env }) => ({ text: env.farewell }),
}

expectTypeOf([missing, unknown, wrongOutput, wrongType, wrongInput, wrongEnv]).toEqualTypeOf<Hello[]>()
