import { sumUpHours } from '../analytics/hours.ts'
import type { Operations } from '../operations.ts'

export const updateAnalytics: Operations['updateAnalytics'] = ({ hours }, { env }) => sumUpHours(hours, Date.now(), env)
