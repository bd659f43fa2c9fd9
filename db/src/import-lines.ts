import { validateLine, type ExportedLine } from '@dot-do/worker-contracts/ndjson'
import type { ErrorDetail } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'

/** How many of each an export has, as its last line says. */
export interface Counts {
  things: number
  relationships: number
}

/** How many lines one import may have; a larger one comes in parts. */
export const MAX_LINES = 1_000

/** The longest line, in bytes: content of 524288 characters, escaped, and as much data as a body may bring. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024

/**
 * Reads an export line by line, and knows whether it is whole: one that says how it begins must say how it ends. Lines written by hand need neither.
 * INVALID, naming the line by its number from 1, for a line that does not fit.
 */
export class LineReader {
  #number = 0
  #hasHeader = false
  #hasEnd = false
  readonly counts: Counts = { things: 0, relationships: 0 }

  /** The number of the line that was taken last. */
  get number(): number {
    return this.#number
  }

  /** Whether the last line of an export has been taken. */
  get isWhole(): boolean {
    return this.#hasHeader && this.#hasEnd
  }

  /** Takes the next line; undefined for one that is neither a thing nor a relationship: the first, the last, an empty one. */
  take(text: string): ExportedLine | undefined {
    this.#number += 1
    if (text.trim() === '') return undefined
    if (this.#hasEnd) throw this.#refused('', 'comes after the end')
    const value = this.#parsed(text)
    if (typeof value === 'object' && value !== null && '$export' in value) return this.#begin()
    if (typeof value === 'object' && value !== null && '$end' in value) return this.#finish(value.$end)
    const validation = validateLine(value)
    if (!validation.success) throw this.#unfit(validation.details)
    this.counts['$type' in validation.data ? 'things' : 'relationships'] += 1
    return validation.data
  }

  /** Says that there are no more lines. INVALID when there must be. */
  end(): void {
    if (!this.#hasHeader || this.#hasEnd) return
    this.#number += 1
    throw this.#refused('', 'is missing: the export is cut off, its last line is not there')
  }

  #parsed(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw this.#refused('', 'is not JSON', cause)
    }
  }

  #begin(): undefined {
    const { things, relationships } = this.counts
    if (this.#hasHeader || things + relationships > 0) throw this.#refused('$export', 'must be the first line')
    this.#hasHeader = true
  }

  #finish(end: unknown): undefined {
    const { things, relationships } = this.counts
    const isWhole =
      typeof end === 'object' && end !== null && 'things' in end && 'relationships' in end && end.things === things && end.relationships === relationships
    if (!isWhole) throw this.#refused('$end', `must count the lines before it: ${things} things and ${relationships} relationships`)
    this.#hasEnd = true
  }

  #unfit(found: ErrorDetail[]): ServiceError {
    const details = found.map(({ path, message }) => ({ path: path === '' ? `lines.${this.#number}` : `lines.${this.#number}.${path}`, message }))
    return new ServiceError('INVALID', `Line ${this.#number} is neither a thing nor a relationship`, { details })
  }

  #refused(field: string, message: string, cause?: unknown): ServiceError {
    const path = field === '' ? `lines.${this.#number}` : `lines.${this.#number}.${field}`
    return new ServiceError('INVALID', `Line ${this.#number} ${message}`, { details: [{ path, message }], cause })
  }
}
