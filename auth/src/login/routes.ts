import type { auth } from '@dot-do/worker-contracts/auth'
import type { HttpEnv, HttpService } from '@dot-do/worker-kernel/http'
import type { Implemented } from '@dot-do/worker-kernel/implement'
import type { Context } from 'hono'
import type { Env } from '../env.ts'
import { sendCode, showLogin, signIn } from './code-steps.ts'
import { asking, type Ask } from './operations.ts'
import { authorize, callback } from './provider-steps.ts'
import { logout, refresh } from './session-steps.ts'
import { loginVisit, type LoginVisit } from './visit.ts'

type Step = (visit: LoginVisit, ask: Ask) => Promise<Response>

/** Adds what a browser signs in by: pages, forms, redirects and cookies, which no contract has a form for. All of it is public: nobody is known yet. */
export function addLoginRoutes(app: HttpService<Env>['app'], service: Implemented<typeof auth, Env>): void {
  const ask = asking(service)
  const serve = (step: Step) => (c: Context<HttpEnv<Env>>) => step(loginVisit(c.req.raw, c.var.call), ask)
  app.get('/login', serve(showLogin))
  app.post('/login/code', serve(sendCode))
  app.post('/login', serve(signIn))
  app.get('/authorize', serve(authorize))
  app.get('/callback', serve(callback))
  app.post('/session/refresh', serve(refresh))
  app.post('/session/logout', serve(logout))
}
