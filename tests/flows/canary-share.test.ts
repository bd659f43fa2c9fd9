import { expect, it } from 'vitest'
import { canary, published, share } from './canaries.ts'
import { says } from './publisher.ts'
import { eventually } from '../eventually.ts'

it('a canary gets the share of visitors it was given: 10 % is 10 % ± 2 over 5,000', async () => {
  const name = await published(says('live'), says('canary'))
  expect(await canary(name, { percent: 10 })).toMatchObject({ status: 200, data: { live: 1, canary: { version: 2, percent: 10 } } })
  await eventually(async () => expect(await share(name, 100)).toBeGreaterThan(0))

  expect(Math.abs((await share(name, 5000)) - 0.1)).toBeLessThan(0.02)
})
