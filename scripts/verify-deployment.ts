import { parseArgs } from 'node:util'
import { discoverServices } from '@dot-do/worker-local/host/workspace'
import { contracts } from './contracts.ts'
import { ROOT } from './root.ts'
import { questionsFor, verify, type Verdict } from './verification.ts'

const USAGE = `verify-deployment.ts [--url https://gateway.do] [--wait SECONDS] [--json]

Asks a deployment, through its gateway and without a key: every service's /health, /openapi.json, and a route of each service
that strangers are refused at. Prints a table, or JSON, and fails if anything is not as it should be.

  --url    where the gateway answers
  --wait   how long to ask again what is not right yet; 30 unless told`

/** What the command line says; a refusal in a sentence. */
function readArguments(): { url: string; waitMs: number; json: boolean; help: boolean } | string {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string', default: 'https://gateway.do' },
        wait: { type: 'string', default: '30' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (!/^https?:/.test(values.url) || !URL.canParse(values.url)) return `--url is ${values.url}, which is no http or https URL`
    if (!/^\d{1,4}$/.test(values.wait)) return `--wait is ${values.wait}, which is no number of seconds`
    return { ...values, waitMs: Number(values.wait) * 1_000 }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function print(verdicts: readonly Verdict[]): void {
  const width = Math.max(...verdicts.map(({ check }) => check.length))
  for (const { check, ok, status, message } of verdicts)
    console.log(`${ok ? 'ok' : '!!'} ${check.padEnd(width)}  ${String(status ?? '–').padEnd(3)}  ${message}`)
}

const given = readArguments()
if (typeof given === 'string') {
  console.error(`${given}\n\n${USAGE}`)
  process.exitCode = 2
} else if (given.help) {
  console.log(USAGE)
} else {
  const names = new Set((await discoverServices(ROOT)).map(({ name }) => name))
  const deployed = (await contracts()).filter(({ name }) => names.has(name))
  const verdicts = await verify(given.url, questionsFor(deployed), given.waitMs)
  const failed = verdicts.filter(({ ok }) => !ok).length
  if (given.json) console.log(JSON.stringify({ url: given.url, ok: failed === 0, checks: verdicts }, null, 2))
  else print(verdicts)
  if (!given.json) console.log(failed === 0 ? `${given.url} works` : `${failed} of ${verdicts.length} are not as they should be at ${given.url}`)
  if (failed > 0) process.exitCode = 1
}
