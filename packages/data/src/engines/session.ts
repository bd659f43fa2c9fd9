import type { Engine } from './engine.ts'

/** One message of a client in PostgreSQL's wire protocol (version 3): its type and what follows the length. */
export interface WireMessage {
  type: string
  body: Buffer
}

/** What the backend answered, in its own wire messages, and the transaction's state after a Sync: `I` none, `T` open, `E` failed. Undefined until there is a Sync. */
export interface SessionReply {
  answer: Buffer
  status: string | undefined
}

/** One client's conversation with an engine, as one role, in wire messages. */
export interface EngineSession {
  /** Runs messages up to a Sync, a Flush or a Query, which must be the last. What the database refuses is in the answer; a DatabaseError is what kept it from being asked. */
  run(messages: readonly WireMessage[]): Promise<SessionReply>
  /** Gives up waiting for a turn. What is running already cannot be stopped. */
  cancel(): void
  /** Rolls back what is open. */
  end(): Promise<void>
}

/** An engine that can be talked to in sessions. */
export interface SessionEngine extends Engine {
  /** `onIdle` is called when a transaction was rolled back since nothing happened in it; the session has then ended. */
  session(role: string, onIdle: () => void): EngineSession
}
