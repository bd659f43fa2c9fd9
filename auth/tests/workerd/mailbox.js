import { WorkerEntrypoint } from 'cloudflare:workers'

const mails = []

/** Stands where Cloudflare's binding for mail does, and shows what was sent. */
export class Mailbox extends WorkerEntrypoint {
  send(mail) {
    mails.push(mail)
  }

  to(address) {
    return mails.filter(({ to }) => to === address)
  }
}

export default { fetch: () => new Response(null, { status: 404 }) }
