import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kilobytes, measuredBundles } from './checks/bundles.ts'
import { ROOT } from './root.ts'

/** `pnpm build` bundles every service, minified as it is deployed, into dist/<service>/index.js, and prints what each weighs. */
const bundles = await measuredBundles(ROOT)

console.log(`${'service'.padEnd(12)}${'minified'.padStart(12)}${'gzipped'.padStart(12)}${'ceiling'.padStart(12)}`)
for (const { service, code, sizeGzBytes, ceilingGzBytes } of bundles) {
  const folder = join(ROOT, 'dist', service)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'index.js'), code)
  const ceiling = ceilingGzBytes === undefined ? '' : kilobytes(ceilingGzBytes)
  console.log(`${service.padEnd(12)}${kilobytes(Buffer.byteLength(code)).padStart(12)}${kilobytes(sizeGzBytes).padStart(12)}${ceiling.padStart(12)}`)
}
