import { join } from 'node:path'
import { readMails } from '@dot-do/worker-local/mail/mailbox'
import { request } from 'undici'
import { expect, it, onTestFinished } from 'vitest'
import { runDev, stateDirectory } from './dev-program.ts'
import { familyOf, killAll, survivorsOf } from './processes.ts'

interface Tokens {
  accessToken: string
  refreshToken: string
  session: { id: string }
}

async function started(stateDir: string) {
  const program = runDev(stateDir)
  onTestFinished(() => program.end())
  await program.ready()
  const { url } = await program.devFile()
  return { pid: program.pid, url: url.replace('localhost', '127.0.0.1') }
}

let asked = 0

/** Posts as a stranger, each time from another address. */
async function post(url: string, body: object): Promise<{ status: number; data: Tokens }> {
  asked += 1
  const headers = { 'content-type': 'application/json', 'cf-connecting-ip': `198.18.7.${asked}` }
  const answer = await request(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: answer.statusCode, ...((await answer.body.json()) as { data: Tokens }) }
}

it('a kill -9 right after a refresh leaves the new token good, and the spent ones known for what they are', async () => {
  const state = await stateDirectory()
  onTestFinished(() => state.remove())
  const killed = await started(state.dir)
  const email = 'ada@example.com'
  await post(`${killed.url}/auth/codes`, { email })
  const [mail] = await readMails(join(state.dir, 'mail'))
  const code = /^\d{8}$/m.exec(mail?.text ?? '')?.[0] ?? ''
  const tokens = [(await post(`${killed.url}/auth/sessions`, { email, code })).data]
  for (let count = 0; count < 22; count++) tokens.push((await post(`${killed.url}/auth/refresh`, { refreshToken: tokens.at(-1)?.refreshToken })).data)

  const family = await familyOf(killed.pid)
  killAll(family)
  expect(await survivorsOf(family)).toEqual([])
  const again = await started(state.dir)
  const refresh = (token: Tokens | undefined) => post(`${again.url}/auth/refresh`, { refreshToken: token?.refreshToken })
  const newest = await refresh(tokens.at(-1))
  const spent = await refresh(tokens[0])

  expect(newest).toMatchObject({ status: 200, data: { session: { id: tokens[0]?.session.id } } })
  expect(spent.status).toBe(401)
  expect((await refresh(newest.data)).status).toBe(401)
})
