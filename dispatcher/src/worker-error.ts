import { ServiceError } from '@dot-do/worker-utils'

/** What became of a worker that gave no answer. */
export interface WorkerFailure {
  error: ServiceError
  /** Whether the worker itself is to blame, and not the way to it. */
  isOwn: boolean
}

const ABSENT = /^Worker not found/

/** What workerd says of code that throws while it is loaded; then come the worker's own words. */
const NOT_STARTED = /^Failed to start Worker:\s*/

/** What the runtime throws in a worker's stead, and what is said of it. Another try helps, since by then it runs anew or is uploaded. */
const PASSING: { thrown: RegExp; message: string; isOwn: boolean }[] = [
  { thrown: ABSENT, message: 'The worker is being published; try again in a second', isOwn: false },
  { thrown: /^Worker exceeded CPU time limit/, message: 'The worker took more CPU time than its plan allows', isOwn: true },
  { thrown: /^Worker exceeded memory limit/, message: 'The worker took more memory than it may', isOwn: true },
  { thrown: /^The Worker's process was restarted|^Network connection lost/, message: 'The worker was restarted; try again in a second', isOwn: false },
]

/** Whether there is no script of that name. */
export function isAbsent(thrown: unknown): boolean {
  return thrown instanceof Error && ABSENT.test(thrown.message)
}

/** What a visitor is told of a worker that gave no answer. Why it failed is for those who may do everything; strangers learn nothing of its insides. */
export function workerError(thrown: unknown, mayKnow: boolean): WorkerFailure {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  const passing = PASSING.find((each) => each.thrown.test(text))
  if (passing) return { error: new ServiceError('UNAVAILABLE', passing.message), isOwn: passing.isOwn }
  if (NOT_STARTED.test(text)) {
    const why = mayKnow ? `: ${text.replace(NOT_STARTED, '')}` : ''
    return { error: new ServiceError('UNAVAILABLE', `The worker cannot be started${why}`), isOwn: true }
  }
  return { error: new ServiceError('UPSTREAM', mayKnow ? `The worker threw: ${text}` : 'The worker failed'), isOwn: true }
}
