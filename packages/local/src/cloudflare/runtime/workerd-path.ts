import { createRequire } from 'node:module'

/** The workerd that Miniflare runs: one version for all. */
export function workerdPath(): string {
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve('miniflare'))
  const workerd: { default: string } = fromMiniflare('workerd')
  return workerd.default
}
