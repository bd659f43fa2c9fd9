import type { HttpService } from '@dot-do/worker-kernel/http'
import type { Env } from '../env.ts'
import { publicKey, verifyingKeys } from './signing-keys.ts'

/** The next key is published long before it signs, so copies of the set may be five minutes old. */
const CACHE_CONTROL = 'public, max-age=300'

/** Adds the public keys of access tokens, as a JSON Web Key Set (RFC 7517 §5), for whoever verifies tokens without asking auth. */
export function addKeySetRoute(app: HttpService<Env>['app']): void {
  app.get('/.well-known/jwks.json', async (c) => {
    const keys = await verifyingKeys(c.var.call, new Date())
    return c.json({ keys: keys.map(publicKey) }, 200, { 'Cache-Control': CACHE_CONTROL, 'Content-Type': 'application/jwk-set+json' })
  })
}
