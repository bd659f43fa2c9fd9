import type { Operations } from '../operations.ts'
import { redeemCode, requestCode } from '../sessions/guard.ts'
import { openSession } from '../sessions/opening.ts'
import { refresh } from '../sessions/refreshing.ts'

export const sendCode: Operations['sendCode'] = ({ email }, call) => requestCode(email, call)

export const signIn: Operations['signIn'] = async ({ email, code, organisation, device }, call) => {
  await redeemCode(email, code, call)
  const subject = email.toLowerCase()
  const proved = { provider: 'code', subject, email, emailVerified: true, name: '', organisation }
  return openSession(proved, { name: device, address: call.address ?? '' }, call)
}

export const refreshSession: Operations['refreshSession'] = (input, call) => refresh(input, call)
