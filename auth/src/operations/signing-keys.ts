import { commit } from '@dot-do/worker-data/ledger'
import { appendAudit } from '../audit.ts'
import type { Operations } from '../operations.ts'
import { PLATFORM_TENANT } from '../roles.ts'
import { platformUrl } from '../sessions/access-tokens.ts'
import { refusals } from '../sessions/revocations.ts'
import { publicKey, rotation, shownKey, verifyingKeys } from '../sessions/signing-keys.ts'
import { SCHEMA } from '../tables.ts'

export const tokenVerification: Operations['tokenVerification'] = async (_input, call) => {
  const platform = platformUrl(call.env)
  const now = new Date()
  const [keys, revoked] = await Promise.all([verifyingKeys(call, now), refusals(call, now)])
  return { issuer: platform, audience: platform, keys: keys.map(publicKey), revoked }
}

export const listSigningKeys: Operations['listSigningKeys'] = async (_input, call) => ({ keys: (await verifyingKeys(call, new Date())).map(shownKey) })

export const rotateSigningKey: Operations['rotateSigningKey'] = async (_input, call) => {
  const now = new Date()
  const { kid, statement } = await rotation(call, now)
  const audited = appendAudit(call, { action: 'auth.rotateSigningKey', subject: kid, tenant: PLATFORM_TENANT, detail: {} }, now.toISOString())
  const answer = { kid }
  await commit(call, SCHEMA, { statements: [statement, audited], answer })
  return answer
}
