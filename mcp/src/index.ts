import { http } from '@dot-do/worker-kernel/http'
import { demand } from '@dot-do/worker-kernel/identity'
import { platform } from '@dot-do/worker-kernel/platform'
import { answerMcp } from './server.ts'
import { service } from './service.ts'

const { app } = http(service)

app.all('/mcp', (c) => {
  demand(c.var.call.principal, 'authenticated')
  return answerMcp(c.req.raw, c.var.call)
})

app.all('/:service/mcp', (c) => {
  demand(c.var.call.principal, 'authenticated')
  return answerMcp(c.req.raw, c.var.call, c.req.param('service'))
})

export { McpService } from './rpc.ts'
export default platform(service)
