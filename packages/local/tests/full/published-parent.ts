import { openStore } from '../../src/cloudflare/store/store.ts'
import { startRuntime } from '../../src/cloudflare/runtime/runtime.ts'

/** A program that runs published scripts, to be killed: prints the numbers of its processes. */
const [dir = ''] = process.argv.slice(2)
const store = await openStore(`${dir}/store`)
const runtime = await startRuntime({ store, stateDir: `${dir}/runtime`, home: '127.0.0.1:9' })
process.stdout.write(`${JSON.stringify(runtime.pids)}\n`)
