import { randomBytes } from 'node:crypto'

/** WorkOS on this machine. */
export interface LocalWorkos {
  url: string
  apiKey: string
  clientId: string
  close(): Promise<void>
}

/** The same at every start, so that whoever signed in before is known again. WorkOS's ids are in capitals. */
const PEOPLE = [
  { id: 'user_01LHCAL0000000000000000ADA', email: 'ada@acme.example', first_name: 'Ada', last_name: 'Lovelace', email_verified: true },
  { id: 'user_01LHCAL000000000000000GRAC', email: 'grace@acme.example', first_name: 'Grace', last_name: 'Hopper', email_verified: true },
]

const ORGANISATION = { id: 'org_01LHCA00000000000000000ACM', name: 'Acme' }

/** Starts the emulator (https://github.com/workos/cli, with what patches/ mends of it) with an organisation, its SSO connection and two people in it. */
export async function startWorkos(port: number): Promise<LocalWorkos> {
  const { createEmulator } = await import('workos/emulate')
  const apiKey = `sk_test_${randomBytes(24).toString('hex')}`
  const memberships = PEOPLE.map(({ id }) => ({ user_id: id }))
  const emulator = await createEmulator({
    port,
    hostname: '127.0.0.1',
    seed: {
      apiKeys: { [apiKey]: { environment: 'test' } },
      users: PEOPLE,
      organizations: [{ ...ORGANISATION, domains: [{ domain: 'acme.example', state: 'verified' }], memberships }],
      connections: [{ id: 'conn_01LHCA00000000000000000ACM', name: 'Acme', organization: ORGANISATION.name, domains: ['acme.example'], profiles: PEOPLE }],
    },
  })
  return { url: `http://127.0.0.1:${port}`, apiKey, clientId: 'client_local', close: () => emulator.close() }
}
