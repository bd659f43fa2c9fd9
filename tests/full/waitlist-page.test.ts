import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPage, startBrowser } from './browser.ts'
import { adminFetch, bootPlatform, type BootedPlatform } from './platform.ts'

let platform: BootedPlatform
let browser: Browser

beforeAll(async () => {
  ;[platform, browser] = await Promise.all([bootPlatform(), startBrowser()])
})
afterAll(async () => {
  await browser?.close()
  await platform?.stop()
})

describe('the page where nothing is published', () => {
  it.each(['light', 'dark'] as const)('takes an address without a script, in %s, and nothing on it is refused', async (colorScheme) => {
    const { port } = new URL(platform.url)
    const { page, complaints } = await openPage(browser, `http://soon-${colorScheme}.do.localhost:${port}/any/where`, { javaScriptEnabled: false, colorScheme })

    await page.getByLabel('E-mail address').fill(`${colorScheme}@example.com`)
    await page.getByRole('button', { name: 'Tell me' }).click()

    await page.getByRole('heading', { name: 'You are on the list' }).waitFor()
    // Of the page's own 404 a browser says so.
    expect(complaints.filter((complaint) => !complaint.includes('404'))).toEqual([])
    const waiting = (await (await adminFetch(platform, '/_waitlist')).json()) as { data: { items: unknown[] } }
    expect(waiting.data.items).toContainEqual(expect.objectContaining({ email: `${colorScheme}@example.com`, host: `soon-${colorScheme}.do` }))
  })
})
