import { batch } from '@dot-do/worker-data/database'
import { onward } from '@dot-do/worker-kernel/call'
import { closeAlerts, closeOtherAlerts, openAlerts } from '../alert-rows.ts'
import type { Operations } from '../operations.ts'
import { askServices } from '../services-health.ts'

/** What is about the platform as a whole, its own people look at. */
const PLATFORM = 'default'

const HOUR_MS = 3_600_000

export const checkServices: Operations['checkServices'] = async (_input, call) => {
  const services = await askServices(call.env.PLATFORM_URL)
  const isDown = ({ status }: { status: string }): boolean => status === 'error'
  const troubles = services.filter(isDown).map(({ service, message = 'failing' }) => ({ ns: PLATFORM, subject: service, message: `${service}: ${message}` }))
  // Of a service that nobody told of, nothing has changed.
  const fine = services.filter((each) => !isDown(each)).map(({ service }) => service)
  const at = new Date().toISOString()
  await batch(call, [openAlerts('service-unhealthy', troubles, at), closeAlerts('service-unhealthy', fine, at)])
  return { services }
}

export const checkRateLimits: Operations['checkRateLimits'] = async ({ refusals }, call) => {
  const now = Date.now()
  const at = new Date(now).toISOString()
  const from = new Date(now - HOUR_MS).toISOString()
  const { items } = await call.env.DB_SERVICE.listRefusals({ from, to: at, refusals, limit: 1_000 }, onward(call))
  const troubles = items.map(({ principal, refused }) => ({
    ns: PLATFORM,
    subject: principal,
    message: `${principal} was refused ${refused} times within an hour`,
  }))
  const subjects = troubles.map(({ subject }) => subject)
  await batch(call, [openAlerts('rate-limited', troubles, at), closeOtherAlerts('rate-limited', subjects, at)])
  return { principals: items }
}
