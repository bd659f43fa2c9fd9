/** What the runtime reports of itself; `message` is a sentence for people. */
export interface RuntimeEvent {
  /** `frozen`: a process was ended for what it used. `restarted`: another took its place. `quarantined`, `released`: a script got a process of its own, or gave it back. `refused`: a script exceeded a limit and is not run for a while. `log`: anything else. */
  type: 'frozen' | 'restarted' | 'quarantined' | 'released' | 'refused' | 'log'
  message: string
  /** The script it is about, as `namespace/name`. */
  script?: string
  pid?: number
}

export type RuntimeListener = (event: RuntimeEvent) => void
