import { RESERVED_NAMES } from '@dot-do/worker-schemas'
import { generateId } from '@dot-do/worker-utils'
import { PLATFORM_TENANT } from '../roles.ts'

const RESERVED: ReadonlySet<string> = new Set([...RESERVED_NAMES, PLATFORM_TENANT])
const MAX_LENGTH = 63
const ENDING_LENGTH = 6

/** Whether a slug is kept for the platform: the services' names, its hosts', and its own organisation's. */
export function isReserved(slug: string): boolean {
  return RESERVED.has(slug)
}

/** A slug for an organisation of this name: its letters and digits, plain. Empty for a name that has none. */
export function slugOf(name: string): string {
  const plain = name.normalize('NFKD').toLowerCase()
  return plain
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_LENGTH)
    .replaceAll(/^-+|-+$/g, '')
}

/** A slug that is free for as good as sure: from a name, or the local part of an address, with a random ending. */
export function personalSlug(name: string): string {
  const start = slugOf(name.split('@')[0] ?? '').slice(0, MAX_LENGTH - ENDING_LENGTH - 1)
  const ending = generateId('').slice(1, 1 + ENDING_LENGTH)
  return `${start.replace(/-+$/, '') || 'team'}-${ending}`
}
