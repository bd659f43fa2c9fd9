import type { auth } from '@dot-do/worker-contracts/auth'
import type { HttpService } from '@dot-do/worker-kernel/http'
import type { Implemented } from '@dot-do/worker-kernel/implement'
import { markup, toServiceError } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'
import { asking, type Ask } from '../login/operations.ts'
import { answerPage, document, failurePage } from '../login/page.ts'
import { demandOwnPage, loginVisit, readFields, redirect, type LoginVisit } from '../login/visit.ts'
import { inviteOf, whyOver } from './invites.ts'

/**
 * Adds what the link of an invite leads to: a page that asks whether to join, and what its button posts to. Following the link changes nothing, since also programs
 * that look at mails follow links. Whoever is not signed in signs in first, and comes back.
 */
export function addInviteRoutes(app: HttpService<Env>['app'], service: Implemented<typeof auth, Env>): void {
  const ask = asking(service)
  app.get('/invites/accept', (c) => offer(loginVisit(c.req.raw, c.var.call)))
  app.post('/invites/confirm', (c) => confirm(loginVisit(c.req.raw, c.var.call), ask))
}

async function offer({ url, env, call, now }: LoginVisit): Promise<Response> {
  const token = (url.searchParams.get('token') ?? '').slice(0, 128)
  if (call.principal.kind !== 'user')
    return redirect(`/auth/login?return_to=${encodeURIComponent(`/auth/invites/accept?token=${encodeURIComponent(token)}`)}`, [])
  try {
    const { invite, place } = await inviteOf(token, call)
    const reason = whyOver(invite, now)
    if (reason !== undefined) return await failure(reason, 409, env)
    const form = markup`<form method="post" action="/auth/invites/confirm"><input type="hidden" name="token" value="${token}"><button>Join ${place.name}</button></form>`
    const page = document('Invitation', [markup`<h1>Join ${place.name}</h1>`, markup`<p>You are invited with the role <b>${invite.role}</b>.</p>`, form])
    return await answerPage(page, 200, { env })
  } catch (thrown) {
    return refused(thrown, env)
  }
}

async function confirm(visit: LoginVisit, ask: Ask): Promise<Response> {
  const { env, call } = visit
  try {
    demandOwnPage(visit)
    const { token = '' } = await readFields(visit)
    const { organisation } = await ask('acceptInvite', { token }, call)
    const { name } = await ask('getOrganisation', { id: organisation }, call)
    return await answerPage(document('Joined', [markup`<h1>You are a member of ${name}</h1>`, markup`<p>You can close this page.</p>`]), 200, { env })
  } catch (thrown) {
    return refused(thrown, env)
  }
}

function refused(thrown: unknown, env: Env): Promise<Response> {
  const { status, message } = toServiceError(thrown)
  return failure(message, status, env)
}

function failure(wrong: string, status: number, env: Env): Promise<Response> {
  return answerPage(failurePage({ title: 'You have not joined', wrong }), status, { env })
}
