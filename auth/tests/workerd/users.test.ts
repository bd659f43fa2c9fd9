import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { audited, claimsOf, isRefused, refresh, refusalOf, signIn } from './people.ts'

const { AUTH } = env

describe('a disabled user', () => {
  it('cannot refresh or sign in, and every access token is refused, until enabled', async () => {
    const tokens = await signIn()
    const { id, email } = tokens.user

    const disabled = await AUTH.disableUser({ id })
    const outcomes = [await refusalOf(() => refresh(tokens)), await isRefused(id, claimsOf(tokens.accessToken).iat), await refusalOf(() => signIn(email))]
    const enabled = await AUTH.enableUser({ id })

    expect(disabled.disabledAt).not.toBeNull()
    expect(outcomes).toEqual(['UNAUTHENTICATED', true, 'FORBIDDEN'])
    expect(enabled.disabledAt).toBeNull()
    expect(await refusalOf(() => refresh(tokens))).toBe('UNAUTHENTICATED')
    await expect(signIn(email)).resolves.toMatchObject({ user: { id } })
    expect(await audited(id)).toEqual(['auth.enableUser', 'auth.disableUser'])
  })

  it('is disabled once, and an enabled one enabled never', async () => {
    const { id } = (await signIn()).user
    const once = await AUTH.disableUser({ id })

    expect(await AUTH.disableUser({ id })).toEqual(once)
    await AUTH.enableUser({ id })
    await AUTH.enableUser({ id })
    expect(await audited(id)).toEqual(['auth.enableUser', 'auth.disableUser'])
  })

  it('that is not there is not found', async () => {
    expect(await refusalOf(() => AUTH.disableUser({ id: 'user_00000000000000000000000000' }))).toBe('NOT_FOUND')
  })
})

describe('the list of users', () => {
  it('comes newest first, page by page, and finds an address', async () => {
    const people = [await signIn(), await signIn(), await signIn()].map(({ user }) => user)

    const page = await AUTH.listUsers({ limit: 2 })
    const rest = await AUTH.listUsers({ limit: 2, cursor: page.nextCursor ?? '' })

    expect([...page.items, ...rest.items].slice(0, 3).map(({ id }) => id)).toEqual(people.map(({ id }) => id).toReversed())
    expect((await AUTH.listUsers({ email: people[1]?.email.toUpperCase() ?? '' })).items.map(({ id }) => id)).toEqual([people[1]?.id])
  })
})
