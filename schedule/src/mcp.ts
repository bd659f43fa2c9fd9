import { mcp } from '@dot-do/worker-kernel/mcp'
import { service } from './service.ts'

export const tools = mcp(service)
