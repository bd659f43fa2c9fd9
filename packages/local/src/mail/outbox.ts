import type { ExtraWorker } from '../host/miniflare-options.ts'
import type { Mailbox } from './mailbox.ts'

/** What a binding of `send_email` leads to here: the Worker, and the class it names. */
export const OUTBOX = { worker: 'outbox', entrypoint: 'Outbox' } as const

/**
 * A Worker in the place of Cloudflare's binding for mail. It takes what `send({ from, to, subject, text })` takes, refuses what has no recipient or more than one
 * line where one belongs, and hands it to the mailbox.
 */
const SOURCE = `
import { WorkerEntrypoint } from 'cloudflare:workers'

const addressOf = (one) => (typeof one === 'string' ? one : one.email)

export class ${OUTBOX.entrypoint} extends WorkerEntrypoint {
  async send({ from, to, subject, text = '', html }) {
    const recipients = [to].flat().filter((one) => one !== undefined).map(addressOf)
    if (recipients.length === 0) throw failure('E_RECIPIENT_MISSING', 'There is no recipient')
    if ([addressOf(from), subject, ...recipients].some((line) => typeof line !== 'string' || /[\\r\\n]/.test(line))) throw failure('E_VALIDATION_ERROR', 'A header is one line of text')
    const body = JSON.stringify({ from: addressOf(from), to: recipients, subject, text: text || html || '' })
    const headers = { 'x-mailbox-token': this.env.MAILBOX_TOKEN }
    const answer = await this.env.MAILBOX.fetch('http://localhost/mails', { method: 'POST', headers, body })
    if (!answer.ok) throw failure('E_INTERNAL_SERVER_ERROR', 'The mailbox did not take it')
    return answer.json()
  }
}

const failure = (code, message) => Object.assign(new Error(message), { code })

export default { fetch: () => new Response(null, { status: 404 }) }
`

/** Makes the Worker of a mailbox. */
export function outboxWorker({ address, token }: Pick<Mailbox, 'address' | 'token'>): ExtraWorker {
  return { name: OUTBOX.worker, source: SOURCE, servers: { MAILBOX: address }, vars: { MAILBOX_TOKEN: token } }
}
