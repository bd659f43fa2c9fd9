import { platform } from '@dot-do/worker-kernel/platform'
import { service } from './service.ts'

export { AuthService } from './rpc.ts'
export default platform(service)
