import { http } from '@dot-do/worker-kernel/http'
import { platform } from '@dot-do/worker-kernel/platform'
import { logs } from './logs.ts'
import { service } from './service.ts'

http(service).app.get('/logs', (c) => logs(c.req.query(), c.var.call))

export { DeployService } from './rpc.ts'
export default platform(service)
