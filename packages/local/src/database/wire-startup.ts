import type { Engine } from '@dot-do/worker-data/engines/engine'
import { message, textAt } from '@dot-do/worker-data/engines/wire'
import type { Duplex } from 'node:stream'
import { malformed } from './request.ts'
import type { WireReader } from './wire-reader.ts'

/** Who wants to come in. */
export interface Client {
  role: string
  password: string
  applicationName: string
}

/** Codes in the place of a version (PostgreSQL documentation, "Message Formats"). */
const [CANCEL, SSL, GSS] = [80877102, 80877103, 80877104]

const CLEARTEXT_PASSWORD = message('R', Buffer.from([0, 0, 0, 3]))
const AUTHENTICATED = message('R', Buffer.from([0, 0, 0, 0]))
const READY = message('Z', Buffer.from('I'))

/** What a driver is told of a server before it sends its first query. */
const TOLD = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'integer_datetimes',
  'standard_conforming_strings',
]

/**
 * Reads how a connection begins, up to the password. There is no TLS on a loopback address, so whoever asks for it is told so and decides.
 * Undefined when nobody comes: for a request to cancel (which has no answer, whether or not it meets anyone) and at the end of the stream.
 */
export async function readStartup(reader: WireReader, stream: Duplex, cancel: (key: string) => void): Promise<Client | undefined> {
  for (;;) {
    const packet = await reader.startup()
    if (!packet) return undefined
    const code = packet.length < 4 ? 0 : packet.readInt32BE(0)
    if (code === CANCEL) {
      cancel(packet.toString('hex', 4))
      return undefined
    }
    if (code === SSL || code === GSS) {
      stream.write('N')
      continue
    }
    if (code >> 16 !== 3) throw malformed('Only version 3 of the protocol is spoken here')
    const parameters = parametersOf(packet)
    if ((code & 0xffff) > 0) stream.write(message('v', Buffer.from([0, 3, 0, 0, 0, 0, 0, 0])))
    const role = parameters.get('user')
    if (role === undefined || role === '') throw malformed('The startup message names no user')
    stream.write(CLEARTEXT_PASSWORD)
    const answer = await reader.message()
    if (!answer) return undefined
    if (answer.type !== 'p') throw malformed('A password was expected')
    return { role, password: textAt(answer.body, 0).text, applicationName: parameters.get('application_name') ?? '' }
  }
}

function parametersOf(packet: Buffer): Map<string, string> {
  const parameters = new Map<string, string>()
  for (let at = 4; at < packet.length && packet[at] !== 0;) {
    const name = textAt(packet, at)
    const value = textAt(packet, name.next)
    parameters.set(name.text, value.text)
    at = value.next
  }
  return parameters
}

/** What every client is told of the server. */
export async function settingsOf(engine: Engine): Promise<Buffer> {
  const [settings] = await engine.batch(null, [{ sql: 'select name, setting from pg_settings where name = any ($1)', params: [TOLD] }])
  return told(settings?.rows ?? [])
}

/** What a client is answered that came in: what the server is, the key to cancel with, and that it listens. */
export function welcome(settings: Buffer, { role, applicationName }: Client, key: Buffer): Buffer {
  const own = told([
    ['application_name', applicationName],
    ['session_authorization', role],
    ['is_superuser', 'off'],
    ['in_hot_standby', 'off'],
  ])
  return Buffer.concat([AUTHENTICATED, settings, own, message('K', key), READY])
}

function told(settings: readonly (readonly (string | null)[])[]): Buffer {
  return Buffer.concat(settings.map(([name, value]) => message('S', name ?? '', value ?? '')))
}
