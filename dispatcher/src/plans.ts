/** What a request to a published worker may use. */
export interface Limits {
  /** CPU time in milliseconds. */
  cpuMs: number
  /** Calls it may make in turn. */
  subRequests: number
}

const PLANS = {
  standard: { cpuMs: 500, subRequests: 50 },
  plus: { cpuMs: 5_000, subRequests: 1_000 },
} satisfies Record<string, Limits>

/** The plan of whoever was given none. */
export const DEFAULT_PLAN = 'standard'

/** The limits of a plan; those of the default one for a plan that is no more. */
export function limitsOf(plan: string): Limits {
  return Object.hasOwn(PLANS, plan) ? PLANS[plan as keyof typeof PLANS] : PLANS[DEFAULT_PLAN]
}
