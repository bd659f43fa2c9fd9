import { describe, expect, inject, it } from 'vitest'
import { askWorkos, codeFor, signInByCode, tokenIn, Visitor } from './visitor.ts'

const platform = inject('platform')

const SESSION_COOKIE = /^__Host-session=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=3600$/
const REFRESH_COOKIE = /^__Host-refresh=rt_\w{26}_[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=\d{7}$/

describe('the sign-in page', () => {
  it('has a button for each provider and a form for codes, and runs no script', async () => {
    const page = await new Visitor().get('/auth/login?return_to=/docs')

    expect(page.status).toBe(200)
    expect(page.text).toContain('href="/auth/authorize?provider=workos&#38;return_to=%2Fdocs"')
    expect(page.text).toContain('<label for="email">')
    expect(page.text).not.toMatch(/<script|\son\w+=|javascript:/i)
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/,
    )
    expect(page.headers['cache-control']).toBe('no-store')
  })

  it('writes what it is given as text', async () => {
    const visitor = new Visitor()
    const page = await visitor.get('/auth/login?return_to=/%22%3E%3Cscript%3Ealert(1)%3C/script%3E')

    const refused = await visitor.post('/auth/login/code', { token: tokenIn(page), email: '"><script>alert(1)</script>' })

    expect(refused.status).toBe(400)
    expect(page.text + refused.text).not.toContain('<script')
  })

  it('sends whoever begins at another of the platform’s hosts to the one whose cookies count', async () => {
    const moved = await new Visitor().get('/login?return_to=/docs', { host: `auth.do.localhost:${platform.port}` })

    expect(moved).toMatchObject({ status: 303, location: `${platform.url}/auth/login?return_to=/docs` })
    expect(moved.setCookies).toEqual([])
  })

  it('is there for somebody whose session cookie holds no longer', async () => {
    const visitor = new Visitor()
    visitor.jar.set('__Host-session', 'no.access.token')

    expect((await visitor.get('/auth/login')).status).toBe(200)
    expect((await visitor.fetch('/auth/me')).status).toBe(401)
  })
})

describe('a sign-in by code', () => {
  it('takes the code that was sent, sets both cookies and leads on; they call the platform, are refreshed, and end', async () => {
    const visitor = new Visitor()

    const signedIn = await signInByCode(visitor, 'linus@code.example')

    expect(signedIn).toMatchObject({ status: 303, location: `${platform.url}/docs` })
    expect(signedIn.setCookies).toEqual([
      expect.stringMatching(SESSION_COOKIE),
      expect.stringMatching(REFRESH_COOKIE),
      expect.stringMatching(/^__Host-login=; .*Max-Age=0$/),
    ])
    expect(signedIn.text).toBe('')
    expect((await visitor.fetch('/auth/me')).data).toMatchObject({ user: { email: 'linus@code.example' }, session: { provider: 'code', current: true } })
    expect((await visitor.fetch('/db/things')).status).toBe(200)

    const before = new Map(visitor.jar)
    const refreshed = await visitor.post('/auth/session/refresh')
    expect(refreshed.status).toBe(200)
    expect(refreshed.text).not.toMatch(/rt_|eyJ/)
    for (const name of ['__Host-session', '__Host-refresh']) expect(visitor.jar.get(name)).not.toBe(before.get(name))
    expect((await visitor.fetch('/auth/me')).status).toBe(200)

    const left = await visitor.post('/auth/session/logout')
    expect(left).toMatchObject({ status: 303, location: `${platform.url}/auth/login` })
    expect([...visitor.jar.keys()]).toEqual([])
    expect((await visitor.fetch('/auth/me')).status).toBe(401)
    visitor.jar.set('__Host-refresh', before.get('__Host-refresh') ?? '')
    expect((await visitor.post('/auth/session/refresh')).status).toBe(401)
  })

  it('keeps the address that the code was sent to, whatever the second form says', async () => {
    const visitor = new Visitor()
    const page = await visitor.get('/auth/login')
    const asked = await visitor.post('/auth/login/code', { token: tokenIn(page), email: 'mallory@code.example' })

    await visitor.post('/auth/login', { token: tokenIn(asked), code: await codeFor('mallory@code.example'), email: 'victim@code.example' })

    expect((await visitor.fetch('/auth/me')).data).toMatchObject({ user: { email: 'mallory@code.example' } })
  })

  it('shows the form again for a wrong code, and takes the right one then', async () => {
    const visitor = new Visitor()
    const page = await visitor.get('/auth/login')
    const asked = await visitor.post('/auth/login/code', { token: tokenIn(page), email: 'typo@code.example' })

    const wrong = await visitor.post('/auth/login', { token: tokenIn(asked), code: '00000000' })
    const right = await visitor.post('/auth/login', { token: tokenIn(wrong), code: await codeFor('typo@code.example') })

    expect(wrong.status).toBe(401)
    expect(wrong.text).toContain('role="alert"')
    expect(right.status).toBe(303)
  })

  it('ends its session also where only the refresh token is left', async () => {
    const visitor = new Visitor()
    await signInByCode(visitor, 'late@code.example')
    const refreshToken = visitor.jar.get('__Host-refresh') ?? ''
    visitor.jar.delete('__Host-session')

    await visitor.post('/auth/session/logout')
    visitor.jar.set('__Host-refresh', refreshToken)

    expect((await visitor.post('/auth/session/refresh')).status).toBe(401)
  })
})

describe('a sign-in by a provider', () => {
  it('goes to WorkOS and back, sets both cookies and leads on', async () => {
    const visitor = new Visitor()
    const answer = await askWorkos(visitor)

    const signedIn = await visitor.get(answer)

    expect(answer).toMatch(new RegExp(`^${platform.url}/auth/callback\\?`))
    expect(signedIn).toMatchObject({ status: 303, location: `${platform.url}/docs` })
    expect(signedIn.setCookies).toEqual([
      expect.stringMatching(SESSION_COOKIE),
      expect.stringMatching(REFRESH_COOKIE),
      expect.stringMatching(/^__Host-login=; .*Max-Age=0$/),
    ])
    const me = await visitor.fetch('/auth/me')
    expect(me.data).toMatchObject({
      user: { email: 'ada@acme.example', name: 'Ada Lovelace' },
      organisation: { name: 'Acme' },
      session: { provider: 'workos' },
    })
    expect((await visitor.get('/auth/login')).text).toContain('ada@acme.example')
  })

  it('that somebody declined says so, and leads back', async () => {
    const visitor = new Visitor()
    const away = await visitor.get('/auth/authorize?provider=workos')
    const state = new URL(away.location).searchParams.get('state') ?? ''

    const declined = await visitor.get(`/auth/callback?${new URLSearchParams({ error: 'access_denied', error_description: '<b>buy</b>', state })}`)

    expect(declined.status).toBe(403)
    expect(declined.text).toContain('You did not give your consent')
    expect(declined.text).toContain('href="/auth/login"')
    expect(declined.text).not.toContain('buy')
  })

  it('that there is not is told so, whatever it is called', async () => {
    for (const provider of ['', 'globex', '__proto__', 'code']) {
      expect((await new Visitor().get(`/auth/authorize?provider=${provider}`)).status).toBe(404)
    }
  })
})
