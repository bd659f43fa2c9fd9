import { bundleService } from '@dot-do/worker-local/host/bundle'
import { discoverServices } from '@dot-do/worker-local/host/workspace'
import type { Problem } from './problem.ts'

/** What each Worker may weigh, minified and gzipped, in bytes. The larger a bundle, the longer a cold start. */
export const CEILINGS_GZ_BYTES: Record<string, number> = {
  gateway: 96_000,
  auth: 140_000,
  db: 140_000,
  mcp: 130_000,
  queue: 120_000,
  schedule: 120_000,
  deploy: 150_000,
  dispatcher: 100_000,
}

/** A service's bundle as it is deployed. */
export interface MeasuredBundle {
  service: string
  code: string
  sizeGzBytes: number
  ceilingGzBytes: number | undefined
}

/** Bundles every service of a tree, minified. Fails with a service that does not bundle. */
export async function measuredBundles(root: string): Promise<MeasuredBundle[]> {
  const services = await discoverServices(root)
  return Promise.all(
    services.map(async (service) => ({
      service: service.name,
      ceilingGzBytes: CEILINGS_GZ_BYTES[service.name],
      ...(await bundleService(service, { minify: true })),
    })),
  )
}

/** No Worker is heavier than its ceiling, and each has one. */
export async function bundles(root: string): Promise<Problem[]> {
  return (await measuredBundles(root)).flatMap(({ service, sizeGzBytes, ceilingGzBytes }) => {
    const file = `${service}/src/index.ts`
    if (ceilingGzBytes === undefined) return [{ file, message: `${service} has no ceiling: give it one in scripts/checks/bundles.ts` }]
    if (sizeGzBytes <= ceilingGzBytes) return []
    return [{ file, message: `bundles to ${kilobytes(sizeGzBytes)} gz; its ceiling is ${kilobytes(ceilingGzBytes)}` }]
  })
}

/** A size for people: 1 KB is 1000 bytes. */
export function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`
}
