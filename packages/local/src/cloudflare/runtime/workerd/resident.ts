import { Budget } from './budget.ts'

/** What is known of an isolate outside its object, least recently used first. Idle objects are evicted unnoticed, so some of these may be gone already. */
const residents = new Map<string, { key: string; budget: Budget }>()

/** Notes the use of an isolate, and names those that must go so that no more than `limit` stay. */
export function touch(id: string, key: string, limit: number): string[] {
  const resident = residents.get(id) ?? { key, budget: new Budget() }
  residents.delete(id)
  residents.set(id, resident)
  return residents.size > limit ? [...residents.keys()].slice(0, residents.size - limit) : []
}

/** The isolates of a script, one for each set of outbound parameters it was dispatched with. */
export function isolatesOf(key: string): string[] {
  return [...residents].filter(([, resident]) => resident.key === key).map(([id]) => id)
}

export function forget(id: string): void {
  residents.delete(id)
}

export function budgetOf(id: string): Budget | undefined {
  return residents.get(id)?.budget
}
