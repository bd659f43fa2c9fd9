import { consumer } from '@dot-do/worker-kernel/queue'
import { service } from './service.ts'

export const queue = consumer(service)
