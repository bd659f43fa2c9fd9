import { http } from '@dot-do/worker-kernel/http'
import { platform } from '@dot-do/worker-kernel/platform'
import { downloadBackup } from './backup/download.ts'
import { changeEvents } from './change-feed.ts'
import { exportLines, importBody } from './lines.ts'
import { queue } from './queue.ts'
import { scheduled } from './scheduled.ts'
import { service } from './service.ts'

const { app } = http(service)
app.get('/changes', (c) => changeEvents(c.req.raw, c.var.call))
app.get('/export.ndjson', (c) => exportLines(c.req.query(), c.var.call))
app.get('/maintenance/backups/:name', (c) => downloadBackup(c.req.param('name'), c.var.call))
app.post('/import.ndjson', (c) => importBody(c.req.raw, c.var.call))

export { ChangeWatch } from './change-watch.ts'
export { Connections } from './connections.ts'
export { EventSpool } from './event-spool.ts'
export { DbService } from './rpc.ts'
export default platform(service, { queue, scheduled })
