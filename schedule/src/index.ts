import { http } from '@dot-do/worker-kernel/http'
import { platform } from '@dot-do/worker-kernel/platform'
import { addApiRoutes } from './api-routes.ts'
import { queue } from './queue.ts'
import { scheduled } from './scheduled.ts'
import { service } from './service.ts'

addApiRoutes(http(service))

export { ScheduleService } from './rpc.ts'
export { TaskClock } from './task-clock.ts'
export default platform(service, { queue, scheduled })
