import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPage, startBrowser } from './browser.ts'
import { bootPlatform, type BootedPlatform } from './platform.ts'

let platform: BootedPlatform
let browser: Browser
let address: string

beforeAll(async () => {
  ;[platform, browser] = await Promise.all([bootPlatform(), startBrowser()])
  address = `${platform.url}/docs`
})
afterAll(async () => {
  await browser.close()
  await platform.stop()
})

const PHONE = { width: 390, height: 844 }
const DESKTOP = { width: 1440, height: 900 }

describe('the reference in a browser', () => {
  it.each([
    ['light', 'desktop', DESKTOP],
    ['dark', 'desktop', DESKTOP],
    ['light', 'phone', PHONE],
    ['dark', 'phone', PHONE],
  ] as const)('is shown %s on a %s as wide as that, in its own colours, and the browser has nothing to complain of', async (colorScheme, _device, viewport) => {
    const { page, complaints } = await openPage(browser, address, { colorScheme, viewport })

    const widest = await page.evaluate<number>('document.documentElement.scrollWidth')
    const back = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')

    expect(await page.getByRole('heading', { level: 1 }).innerText()).toContain('The platform')
    expect(widest).toBe(viewport.width)
    expect(back).toBe(colorScheme === 'dark' ? 'rgb(17, 19, 22)' : 'rgb(255, 255, 255)')
    expect(complaints).toEqual([])
  })

  it('shows what the filter’s words are in, and all again once it is emptied', async () => {
    const { page, complaints } = await openPage(browser, address, { viewport: DESKTOP })
    const shown = page.locator('main article[id]:visible h3')
    const linked = page.locator('nav li:visible')
    const all = await shown.count()

    await page.keyboard.press('/')
    await page.keyboard.type('things:write upsert')
    const found = await shown.allInnerTexts()
    const links = await linked.allInnerTexts()
    const sections = await page.locator('main .lead:visible').count()
    await page.keyboard.type(' nowhere')
    const nothing = await page.getByRole('status').innerText()
    await page.keyboard.press('Escape')

    expect(all).toBeGreaterThan(60)
    expect(found).toEqual(['Write a thing, whether it exists or not'])
    expect(links.map((text) => text.split(/\s/)[0])).toEqual(['upsert'])
    expect(sections).toBe(1)
    expect(nothing).toBe('Nothing here is called so.')
    expect(await shown.count()).toBe(all)
    expect(complaints).toEqual([])
  })

  it('copies a request whole', async () => {
    const { page } = await openPage(browser, address, { viewport: DESKTOP, permissions: ['clipboard-read', 'clipboard-write'] })
    const figure = page.locator('#db_upsert figure').first()

    await figure.getByRole('button').click()

    await expect.poll(() => page.evaluate<string>('navigator.clipboard.readText()')).toBe(await figure.locator('pre').textContent())
  })

  it('leads from the contents to an operation, and from an answer to its schema', async () => {
    const { page } = await openPage(browser, address, { viewport: DESKTOP })

    await page.locator('nav a[href="#db_get"]').click()
    await page.locator('#db_get a[href="#schema-DbThing"]').click()

    expect(new URL(page.url()).hash).toBe('#schema-DbThing')
    await expect
      .poll(() => page.evaluate<number>(`Math.round(document.getElementById('schema-DbThing').getBoundingClientRect().top)`))
      .toBeLessThan(DESKTOP.height)
  })

  it('without scripts shows everything but the filter', async () => {
    const { page, complaints } = await openPage(browser, address, { viewport: DESKTOP, javaScriptEnabled: false })

    expect(await page.locator('main article[id]:visible').count()).toBeGreaterThan(60)
    expect(await page.locator('#filter:visible').count()).toBe(0)
    expect(await page.locator('button').count()).toBe(0)
    await page.locator('#db_batch summary').first().click()
    expect(await page.locator('#db_batch .forms > li:visible').count()).toBeGreaterThan(5)
    expect(complaints).toEqual([])
  })

  it('runs no script but its own, though one is put into it', async () => {
    const { page, complaints } = await openPage(browser, address, { viewport: DESKTOP })

    await page.evaluate(`
      const script = document.createElement('script')
      script.textContent = 'document.title = "taken over"'
      document.body.append(script)
      document.body.insertAdjacentHTML('beforeend', '<img src="https://example.com/a.png" onerror="document.title = 1">')`)

    await expect.poll(() => complaints.filter((complaint) => complaint.includes('Content Security Policy')).length).toBeGreaterThanOrEqual(2)
    expect(await page.title()).toBe('The platform: API reference')
  })
})
