import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { OIDC_CLIENT, startOidcServer, type OidcServer } from '../oidc-server.ts'
import { openPage, startBrowser, type OpenPage } from './browser.ts'
import { bootPlatform, type BootedPlatform } from './platform.ts'

let platform: BootedPlatform
let browser: Browser
let oidc: OidcServer
let visits = 0

beforeAll(async () => {
  oidc = await startOidcServer()
  const OIDC_PROVIDERS = JSON.stringify([{ name: 'acme', label: 'Acme', issuer: oidc.issuer, ...OIDC_CLIENT }])
  ;[platform, browser] = await Promise.all([bootPlatform({ variables: { auth: { OIDC_PROVIDERS } } }), startBrowser()])
  oidc.serve(platform.url)
})
afterAll(async () => {
  await browser.close()
  await platform.stop()
  await oidc.stop()
})

const PHONE = { width: 390, height: 844 }
const DESKTOP = { width: 1440, height: 900 }

/** Opens the sign-in page from an address of its own: strangers are counted by theirs. */
function openLogin(query = '', options: BrowserContextOptions = {}): Promise<OpenPage> {
  return openPage(browser, `${platform.url}/auth/login${query}`, { extraHTTPHeaders: { 'CF-Connecting-IP': `192.0.2.${++visits}` }, ...options })
}

/** What a script of the page gets: the status, and the envelope. */
function fetched(page: Page, path: string, method = 'GET'): Promise<{ status: number; data?: Record<string, unknown> }> {
  return page.evaluate(`fetch(${JSON.stringify(path)}, { method: '${method}' }).then(async (answer) => ({ status: answer.status, ...(await answer.json()) }))`)
}

/** The cookies that the browser keeps for the platform, by name. */
async function cookiesOf(page: Page): Promise<Map<string, { value: string; httpOnly: boolean; secure: boolean; sameSite: string }>> {
  return new Map((await page.context().cookies(platform.url)).map((cookie) => [cookie.name, cookie]))
}

/** A page of the platform's own that scripts may ask the platform from. */
const PLAIN = '/health'

describe('signing in in a browser', () => {
  it('by WorkOS leads back with a session that calls the platform, is refreshed, ends, and is refused then', async () => {
    const { page, complaints } = await openLogin(`?return_to=${PLAIN}`)

    await page.getByRole('link', { name: 'Continue with WorkOS' }).click()
    await page.getByRole('link', { name: 'Ada Lovelace' }).click()
    await page.waitForURL(platform.url + PLAIN)

    const before = await cookiesOf(page)
    expect([...before.keys()].sort()).toEqual(['__Host-refresh', '__Host-session'])
    for (const cookie of before.values()) expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax' })
    expect(await page.evaluate<string>('document.cookie')).toBe('')
    expect(await fetched(page, '/auth/me')).toMatchObject({ status: 200, data: { user: { email: 'ada@acme.example' }, session: { provider: 'workos' } } })
    expect(await fetched(page, '/db/things')).toMatchObject({ status: 200, data: { items: [] } })

    expect(await fetched(page, '/auth/session/refresh', 'POST')).toMatchObject({ status: 200, data: { user: { email: 'ada@acme.example' } } })
    const after = await cookiesOf(page)
    for (const name of before.keys()) expect(after.get(name)?.value).not.toBe(before.get(name)?.value)
    expect(complaints.filter((complaint) => complaint.includes('Content Security Policy'))).toEqual([])

    await page.goto(`${platform.url}/auth/login`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()

    expect([...(await cookiesOf(page)).keys()]).toEqual(['__Host-login'])
    await page.goto(platform.url + PLAIN)
    expect((await fetched(page, '/db/things')).status).toBe(401)
    expect((await fetched(page, '/auth/session/refresh', 'POST')).status).toBe(401)
  })

  it('by a certified provider of OpenID Connect leads through its own pages and back', async () => {
    const { page } = await openLogin(`?return_to=${PLAIN}`)

    await page.getByRole('link', { name: 'Continue with Acme' }).click()
    await page.locator('[name=login]').fill('margaret')
    await page.locator('[name=password]').fill('any')
    await page.locator('button[type=submit]').click()
    await page.locator('button[type=submit]').click()
    await page.waitForURL(platform.url + PLAIN)

    expect(await fetched(page, '/auth/me')).toMatchObject({ status: 200, data: { user: { email: 'margaret@acme.example' }, session: { provider: 'acme' } } })
  })

  it('by a code that is read from the mailbox, without scripts', async () => {
    const { page } = await openLogin(`?return_to=${PLAIN}`, { javaScriptEnabled: false })

    await page.getByLabel('E-mail address').fill('linus@code.example')
    await page.getByRole('button', { name: 'Send me a code' }).click()
    const mailbox = await page.context().newPage()
    await mailbox.goto(platform.mailboxUrl)
    const mail = await mailbox.getByRole('article').first().innerText()
    await page.getByLabel('Code').fill(/\b\d{8}\b/.exec(mail)?.[0] ?? '')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(platform.url + PLAIN)

    expect(mail).toContain('linus@code.example')
    expect([...(await cookiesOf(page)).keys()].sort()).toEqual(['__Host-refresh', '__Host-session'])
    await page.goto(`${platform.url}/auth/login`)
    expect(await page.getByRole('main').innerText()).toContain('linus@code.example')
  })

  it('that is cancelled at the provider says so and leads back to the page', async () => {
    const { page } = await openLogin()

    await page.getByRole('link', { name: 'Continue with WorkOS' }).click()
    await page.getByRole('link', { name: 'Cancel' }).click()

    expect(await page.getByRole('alert').innerText()).toContain('You did not give your consent')
    await page.getByRole('link', { name: 'Back to sign-in' }).click()
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Sign in')
  })

  it('is out of a foreign page’s reach: it can neither end a session, nor use one, nor frame the page', async () => {
    const { page } = await openLogin(`?return_to=${PLAIN}`)
    await page.getByRole('link', { name: 'Continue with WorkOS' }).click()
    await page.getByRole('link', { name: 'Grace Hopper' }).click()
    await page.waitForURL(platform.url + PLAIN)
    const foreign = await page.context().newPage()
    await foreign.goto(await foreignPage())

    const outcomes = await foreign.evaluate<string[]>(`Promise.all([
      ['/auth/session/logout', 'POST'], ['/auth/session/refresh', 'POST'], ['/auth/logout-everywhere', 'POST'], ['/auth/me', 'GET']
    ].map(([path, method]) => fetch('${platform.url}' + path, { method, mode: 'no-cors', credentials: 'include' }).then((answer) => answer.type, () => 'failed')))`)

    expect(outcomes).toEqual(['opaque', 'opaque', 'opaque', 'opaque'])
    await foreign.setContent(`<iframe src="${platform.url}/auth/login"></iframe>`)
    await expect.poll(() => foreign.frames().at(-1)?.url()).toMatch(/^chrome-error:/)
    expect((await cookiesOf(page)).has('__Host-session')).toBe(true)
    expect(await fetched(page, '/auth/me')).toMatchObject({ status: 200, data: { user: { email: 'grace@acme.example' } } })
    expect(await fetched(page, '/auth/session/refresh', 'POST')).toMatchObject({ status: 200 })
  })
})

describe('the sign-in page', () => {
  it.each([
    ['light', 'desktop', DESKTOP],
    ['dark', 'desktop', DESKTOP],
    ['light', 'phone', PHONE],
    ['dark', 'phone', PHONE],
  ] as const)('is shown %s on a %s as wide as that, in its own colours, and the browser has nothing to complain of', async (colorScheme, _device, viewport) => {
    const { page, complaints } = await openLogin('', { colorScheme, viewport })

    const widest = await page.evaluate<number>('document.documentElement.scrollWidth')
    const back = await page.evaluate<string>("getComputedStyle(document.querySelector('main')).backgroundColor")

    expect(widest).toBe(viewport.width)
    expect(back).toBe(colorScheme === 'dark' ? 'rgb(24, 27, 31)' : 'rgb(255, 255, 255)')
    expect(complaints).toEqual([])
  })

  it('is gone through by keyboard alone', async () => {
    const { page } = await openLogin()

    const stops: string[] = []
    for (let stop = 0; stop < 4; stop++) {
      await page.keyboard.press('Tab')
      stops.push(await page.evaluate<string>('document.activeElement.tagName'))
    }

    expect(stops).toEqual(['A', 'A', 'INPUT', 'BUTTON'])
  })
})

/** A page of another port of this machine: another origin, but the same site by a browser's reckoning, so that it sends the platform's cookies along. */
async function foreignPage(): Promise<string> {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<title>Foreign</title>'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://localhost:${(server.address() as AddressInfo).port}/`
}
