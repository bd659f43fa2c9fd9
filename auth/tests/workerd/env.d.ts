/// <reference types="@cloudflare/vitest-plugin/types" />

declare namespace Cloudflare {
  type AuthBinding = import('@dot-do/worker-contracts/contract').Service<import('@dot-do/worker-contracts/auth').Auth>

  interface Env {
    /** auth as one who may do everything and speak for anybody. */
    AUTH: AuthBinding
    /** auth as nobody in particular. */
    AUTH_STRANGER: AuthBinding
    /** An auth where only invited people sign up. */
    AUTH_INVITED: AuthBinding
    /** db as auth sees it. */
    AUTH_TABLES: import('@dot-do/worker-contracts/contract').Service<import('@dot-do/worker-contracts/db').Db>
    MAILBOX: { to(address: string): Promise<{ to: string; subject: string; text: string }[]> }
    RefreshFamilies: DurableObjectNamespace<import('../../src/sessions/refresh-family.ts').RefreshFamily>
    SignInGuards: DurableObjectNamespace<import('../../src/sessions/sign-in-guard.ts').SignInGuard>
  }
}
