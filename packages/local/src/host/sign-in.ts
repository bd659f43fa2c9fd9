import { join } from 'node:path'
import type { PlatformListener } from './events.ts'
import type { ExtraWorker } from './miniflare-options.ts'
import { freePort } from './ports.ts'
import { discoverServices } from './workspace.ts'

/** The service that people sign in by. */
export const SIGN_IN_SERVICE = 'auth'

/** What stands on this machine for those that sign people in and carry their mail. */
export interface LocalSignIn {
  /** Where mails end; `dir` holds a file for each. */
  mailbox: { url: string; dir: string }
  workos: { url: string } | undefined
  /** The Worker that mail is handed to. */
  worker: ExtraWorker
  /** What auth finds in its env. */
  env: Record<string, string>
  close(): Promise<void>
}

interface Settings {
  root: string
  stateDir: string
  /** What auth is given otherwise: with a WorkOS of its own it needs no emulator. */
  given: Record<string, string>
  onEvent: PlatformListener
}

/** Variables by service, those that auth needs for it put in where it is told no others. */
export function withSignIn(variables: Record<string, Record<string, string>> | undefined, signIn: LocalSignIn | undefined) {
  return { ...variables, [SIGN_IN_SERVICE]: { ...signIn?.env, ...variables?.[SIGN_IN_SERVICE] } }
}

/** Opens the mailbox and starts the emulator of WorkOS. Nothing in a workspace that has no service for signing in. */
export async function openSignIn({ root, stateDir, given, onEvent }: Settings): Promise<LocalSignIn | undefined> {
  if (!(await discoverServices(root)).some(({ name }) => name === SIGN_IN_SERVICE)) return undefined
  const dir = join(stateDir, 'mail')
  const [mailbox, workos] = await Promise.all([openMail(dir, onEvent), given['WORKOS_API_KEY'] === undefined ? openWorkos(onEvent) : undefined])
  const { outboxWorker } = await import('../mail/outbox.ts')
  return {
    mailbox: { url: mailbox.url, dir },
    workos: workos && { url: workos.url },
    worker: outboxWorker(mailbox),
    env: workos ? { WORKOS_API_KEY: workos.apiKey, WORKOS_CLIENT_ID: workos.clientId, WORKOS_API_URL: workos.url } : {},
    async close() {
      await Promise.all([mailbox.close(), workos?.close()])
    },
  }
}

async function openMail(dir: string, onEvent: PlatformListener) {
  const { openMailbox } = await import('../mail/mailbox.ts')
  const onMail = ({ to, subject, text }: { to: string[]; subject: string; text: string }): void =>
    onEvent({ type: 'notice', message: `mail to ${to.join(', ')}: ${subject}\n${text.trim().replace(/^(?!$)/gm, '  ')}` })
  return openMailbox({ dir, port: await freePort(), onMail })
}

/** Codes by mail are left where it does not start. */
async function openWorkos(onEvent: PlatformListener) {
  const { startWorkos } = await import('../workos/emulator.ts')
  return startWorkos(await freePort()).catch((error: unknown) => {
    onEvent({ type: 'notice', message: `No WorkOS to sign in by: ${error instanceof Error ? error.message : String(error)}` })
    return undefined
  })
}
