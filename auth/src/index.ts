import { http } from '@dot-do/worker-kernel/http'
import { platform } from '@dot-do/worker-kernel/platform'
import { addLoginRoutes } from './login/routes.ts'
import { addInviteRoutes } from './organisations/invite-pages.ts'
import { queue } from './queue.ts'
import { scheduled } from './scheduled.ts'
import { service } from './service.ts'
import { addKeySetRoute } from './sessions/key-set.ts'
import { addTokenRoute } from './workloads/token-route.ts'

const { app } = http(service)
addKeySetRoute(app)
addLoginRoutes(app, service)
addInviteRoutes(app, service)
addTokenRoute(app, service)

export { RefreshFamily } from './sessions/refresh-family.ts'
export { SignInGuard } from './sessions/sign-in-guard.ts'
export { AuthService } from './rpc.ts'
export default platform(service, { queue, scheduled })
