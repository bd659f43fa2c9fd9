import { openAnalytics } from '../../src/analytics/open.ts'

// Opens the analytics in the directory its argument names, says which process has them, and stays until it is killed.
const [dir = ''] = process.argv.slice(2)
const analytics = await openAnalytics({ dir, password: 'secret', queryLimitMs: 600_000 })
console.log(JSON.stringify({ pid: analytics.pid(), url: analytics.url }))
