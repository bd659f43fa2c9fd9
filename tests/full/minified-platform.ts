import type { TestProject } from 'vitest/node'
import { setupPlatform } from '../flows/platform.ts'

/** Boots the platform of the flows with its Workers as they are deployed. */
export default function setup(project: TestProject): Promise<() => Promise<void>> {
  return setupPlatform(project, { minify: true })
}
