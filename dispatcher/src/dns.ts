import { ServiceError } from '@dot-do/worker-utils'
import * as z from 'zod'

/** How long a resolver may take, in milliseconds. */
const TIMEOUT_MS = 5_000

const TXT = 16

/** The part of the JSON form of DNS answers that is read (https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/). */
const Answer = z.object({ Status: z.int(), Answer: z.array(z.object({ type: z.int(), data: z.string() })).default([]) })

const NO_ERROR = 0
const NO_SUCH_NAME = 3

/** The TXT records of a name, asked over HTTPS; none if there is no such name. UPSTREAM if the resolver does not answer as it should. */
export async function txtRecords(name: string, resolver: string): Promise<string[]> {
  const { Status, Answer: records } = await ask(name, resolver).catch((cause: unknown) => {
    throw new ServiceError('UPSTREAM', 'The DNS resolver did not answer; try again', { cause })
  })
  if (Status !== NO_ERROR && Status !== NO_SUCH_NAME) throw new ServiceError('UPSTREAM', `The DNS of ${name} is failing (status ${Status})`)
  return records.filter(({ type }) => type === TXT).map(({ data }) => unquoted(data))
}

async function ask(name: string, resolver: string): Promise<z.output<typeof Answer>> {
  const url = new URL(resolver)
  url.searchParams.set('name', name)
  url.searchParams.set('type', 'TXT')
  const answer = await fetch(url, { headers: { Accept: 'application/dns-json' }, signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (!answer.ok) throw new TypeError(`The resolver answered ${answer.status}`)
  return Answer.parse(await answer.json())
}

/** A record of more than 255 bytes comes as several quoted strings, which are one text (RFC 7208, section 3.3). */
function unquoted(data: string): string {
  const strings = data.match(/"(?:[^"\\]|\\.)*"/g)
  if (!strings) return data
  return strings.map((quoted) => quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1')).join('')
}
