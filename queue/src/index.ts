import { platform } from '@dot-do/worker-kernel/platform'
import { queue } from './queue.ts'
import { scheduled } from './scheduled.ts'
import { service } from './service.ts'

export { QueueService } from './rpc.ts'
export { Waker } from './waker.ts'
export default platform(service, { queue, scheduled })
