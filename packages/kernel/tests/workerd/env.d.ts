/// <reference types="@cloudflare/vitest-plugin/types" />

declare namespace Cloudflare {
  type Notes = import('@dot-do/worker-contracts/contract').Service<import('@dot-do/worker-contracts/contract').ServiceOf<typeof import('../notes.ts').notes>>

  interface Env {
    /** Bound without props. */
    STRANGER: Notes
    READER: Notes
    WRITER: Notes
    /** May do nothing itself, and speak for others in `notes:*`. */
    DELEGATE: Notes
    /** The fixture's default export. */
    PLATFORM: { fetch: typeof fetch }
    /** Shows what landed in the dead letter queue. */
    MORGUE: { fetch: typeof fetch }
    NOTES_QUEUE: Queue
  }
}
