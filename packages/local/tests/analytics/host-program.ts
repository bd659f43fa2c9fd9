import { openLocalAnalytics } from '../../src/host/analytics.ts'

// Opens the analytics of the workspace that its arguments name, as the host does, and prints what came of it.
const [root = '', stateDir = ''] = process.argv.slice(2)
const notices: string[] = []
const onEvent = (event: { type: string; message?: string }): void => void notices.push(event.message ?? event.type)
const opened = await openLocalAnalytics({ root, stateDir, secrets: { CLICKHOUSE_PASSWORD: 'secret' }, onEvent })
await opened?.close()
console.log(JSON.stringify({ engine: opened?.engine ?? null, notices }))
