/** What the clock knows of the Workers it turns; a variable of its own Worker. */
export interface Plan {
  /** Whoever sends steps must know it. */
  token: string
  /** The time at which the Workers were started. */
  now: number
  workers: string[]
  consumers: Record<string, Consumer>
}

/** Who gets the messages of a queue, and how. */
export interface Consumer {
  worker: string
  maxBatchSize: number
  maxRetries: number
  retryDelaySeconds: number
  deadLetterQueue?: string
}

/** A Durable Object's alarm: the Worker and class it belongs to. */
export interface Bell {
  worker: string
  className: string
  id: string
}

/** What comes next: it becomes that time, and this happens. */
export interface Step {
  now: number
  cron?: { worker: string; cron: string; scheduledTime: number }
  alarm?: Bell
}

/** What came of a step, once nothing is going on any more. */
export interface StepReport {
  /** Why what happened failed. */
  failure?: string
  /** Alarms that may have changed, as they are now. */
  alarms: (Bell & { at: number | null })[]
  /** Batches that were delivered, in order. */
  delivered: { queue: string; messages: number; failure?: string }[]
  /** When the next message is due that was sent with a delay; null where none is. */
  nextMessageAt: number | null
}

/** How a Worker's dial is bound to the clock's Worker. */
export function dialBinding(worker: string): string {
  return `DIAL ${worker}`
}

/** How a class of Durable Objects is bound to the clock's Worker. */
export function objectsBinding({ worker, className }: Pick<Bell, 'worker' | 'className'>): string {
  return `OBJECTS ${worker} ${className}`
}
