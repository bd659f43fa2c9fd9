import type { Db } from '@dot-do/worker-contracts/db'
import type { Service } from '@dot-do/worker-contracts/contract'
import type { BaseEnv } from '@dot-do/worker-types'
import type { RefreshFamily } from './sessions/refresh-family.ts'
import type { SignInGuard } from './sessions/sign-in-guard.ts'

export interface Env extends BaseEnv {
  /** The tables of the schema `auth`, by SQL under the role `auth`. */
  DB_SERVICE: Service<Db>
  /** Mixed into every key's hash, so that the table alone does not help to guess keys. */
  KEY_PEPPER: string
  /** Where the platform's gateway answers, without a path: who issues and who accepts access tokens, and where providers send people back to. */
  PLATFORM_URL: string
  /** What the keys of access tokens, refreshes and the state of sign-ins are encrypted under; at least 32 random bytes. */
  JWT_SIGNING_KEY?: string
  /** Who may become a user: `open` (anybody who proves an address) or `invited`. */
  SIGN_UP?: string
  /** The refresh tokens of each session, by its id. */
  RefreshFamilies: DurableObjectNamespace<RefreshFamily>
  /** One-time codes and failed attempts, by an HMAC of the address. */
  SignInGuards: DurableObjectNamespace<SignInGuard>
  /** Sends one-time codes and invites. */
  EMAIL?: SendEmail
  /** The address that mails come from; of a domain that EMAIL may send for. */
  MAIL_FROM?: string
  /** Addresses outside the platform that a sign-in may end at, exactly, separated by commas. */
  LOGIN_REDIRECTS?: string
  /** A JSON list of OpenID Connect providers to sign in by: `{ name, label, issuer, clientId, clientSecret?, scopes? }`. It holds secrets. */
  OIDC_PROVIDERS?: string
  /** WorkOS's secret key; sign-in by WorkOS is there when this and the next are. */
  WORKOS_API_KEY?: string
  /** The platform's id at WorkOS. */
  WORKOS_CLIENT_ID?: string
  /** Where WorkOS's API answers; its own address unless told. */
  WORKOS_API_URL?: string
  /** Who issues the OIDC tokens of GitHub Actions jobs; GitHub's own unless told, an enterprise's where it has one. */
  GITHUB_OIDC_ISSUER?: string
}
