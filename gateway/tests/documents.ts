import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Env } from '../src/env.ts'
import { SERVICES } from '../src/services.ts'

/** An env whose bindings answer for their documents, as `pnpm generate` wrote them, and for nothing else. */
export function documentsEnv(): Env {
  const bindings = Object.keys(SERVICES).map((name) => {
    const fetch = () => Promise.resolve(new Response(readFileSync(join(import.meta.dirname, `../../docs/openapi/${name}.json`))))
    return [`${name.toUpperCase()}_SERVICE`, { fetch }]
  })
  return Object.fromEntries(bindings) as Env // the reference asks bindings for nothing else
}
