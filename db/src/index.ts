import { platform } from '@dot-do/worker-kernel/platform'
import { queue } from './queue.ts'
import { service } from './service.ts'

export { DbService } from './rpc.ts'
export default platform(service, { queue })
