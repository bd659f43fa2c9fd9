/** Subrequests a dispatch may make unless it says otherwise: https://developers.cloudflare.com/workers/platform/limits/#subrequests */
export const DEFAULT_SUBREQUESTS = 50

/** The subrequests of one isolate. Whose a subrequest is cannot be seen from outside, so those in flight at the same time share what all of them may make. */
export class Budget {
  #allowed = 0
  #made = 0
  #inFlight = 0

  enter(limit: number = DEFAULT_SUBREQUESTS): void {
    if (this.#inFlight === 0) {
      this.#allowed = 0
      this.#made = 0
    }
    this.#inFlight++
    this.#allowed += limit
  }

  leave(): void {
    this.#inFlight--
  }

  /** Counts one more. Throws when that is one too many. */
  spend(): void {
    if (this.#made >= this.#allowed) throw new Error('Too many subrequests.')
    this.#made++
  }
}
