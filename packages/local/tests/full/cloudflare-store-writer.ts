import { openStore } from '../../src/cloudflare/store/store.ts'

/** Writes scripts without end, in the directory given, and says each one's number once the store has answered. It is meant to be killed. */
const store = await openStore(String(process.argv[2]))
if (store.getNamespace('tenants') === undefined) await store.createNamespace('tenants')
for (let number = 0; ; number++) {
  const text = `export default ${number}${' '.repeat(20_000)}`
  const modules = [{ name: 'index.js', type: 'esm' as const, ...(await store.writeBlob(Buffer.from(text))) }]
  const rest = { handlers: [], namedExports: [], bindings: [], compatibilityFlags: [], tags: [String(number)], version: { id: '', createdOn: '' } }
  await store.updateScript('tenants', `shop-${number % 5}`, () => ({ mainModule: 'index.js', modules, ...rest }))
  process.stdout.write(`${number}\n`)
}
