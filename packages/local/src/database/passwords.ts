import { DatabaseError } from '@dot-do/worker-data/engines/engine'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { rolesOf } from '@dot-do/worker-data/roles'
import { hash, timingSafeEqual } from 'node:crypto'

/** Who may come in, and with which password. */
export class Passwords {
  readonly #roleSecret: string
  readonly #digests = new Map<string, Buffer>()

  constructor(roleSecret: string) {
    this.#roleSecret = roleSecret
  }

  /** Lets the roles of these services in. The owner is none of them. */
  async admit(services: readonly { name: string }[]): Promise<void> {
    for (const role of services.flatMap(({ name }) => rolesOf(name))) this.#digests.set(role, digest(await rolePassword(this.#roleSecret, role)))
  }

  /** Answers an unknown role and a wrong password alike, and in the same time, as PostgreSQL does. */
  demand(role: string, password: string): void {
    const expected = this.#digests.get(role)
    if (!timingSafeEqual(digest(password), expected ?? NOBODY) || expected === undefined) {
      throw new DatabaseError(`password authentication failed for user "${role}"`, { code: '28P01', severity: 'FATAL' })
    }
  }
}

const NOBODY = Buffer.alloc(32)

const digest = (text: string): Buffer => hash('sha256', text, 'buffer')
