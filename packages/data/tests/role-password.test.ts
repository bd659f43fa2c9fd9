import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import { rolePassword } from '../src/role-password.ts'

it('is the base64url HMAC-SHA256 of the role under the secret', async () => {
  for (const role of ['db', 'db_reader', 'auth']) {
    expect(await rolePassword('a secret', role)).toBe(createHmac('sha256', 'a secret').update(`role:${role}`).digest('base64url'))
  }
})
