import { rolePassword } from '@dot-do/worker-data/role-password'
import { describe, expect, it } from 'vitest'
import type { Env } from '../src/env.ts'
import { addressOf, transportOf } from '../src/transports/address.ts'

function env(more: object): Env {
  return { ...({} as Env), DATABASE_URL: 'postgres://db.example:6432/main', DB_ROLE_SECRET: 'secret', ...more } // of an env an address uses what is here
}

describe('the transport', () => {
  it.each(['http', 'websocket', 'tcp'])('is %s when the configuration says so', (word) => {
    expect(transportOf({ DATABASE_TRANSPORT: word })).toBe(word)
  })

  it('is http when it says nothing', () => {
    expect(transportOf({})).toBe('http')
  })

  it.each(['', 'TCP', 'https', 'constructor'])('is none when it says %j, and the error names what it may be', (word) => {
    expect(() => transportOf({ DATABASE_TRANSPORT: word })).toThrow(
      expect.objectContaining({ code: 'INTERNAL', message: `DATABASE_TRANSPORT is ${JSON.stringify(word)}; it must be http, websocket, tcp` }),
    )
  })
})

describe('the address of a role', () => {
  it('is the database’s, with the role’s own password', async () => {
    expect(await addressOf('db', env({}), true)).toEqual({
      host: 'db.example',
      port: 6432,
      database: 'main',
      user: 'db',
      password: await rolePassword('secret', 'db'),
      isTls: false,
    })
  })

  it.each([
    ['postgres://host/main', { host: 'host', port: 5432, isTls: false }],
    ['postgresql://host/main?sslmode=disable', { isTls: false }],
    ['postgres://host/main?sslmode=require', { isTls: true }],
    ['postgres://host/main?sslmode=verify-full', { isTls: true }],
    ['postgres://[::1]:5433/main', { host: '::1', port: 5433 }],
    ['postgres://host/a%20name', { database: 'a name' }],
  ])('of %s is read', async (url, expected) => {
    expect(await addressOf('db', env({ DATABASE_URL: url }), false)).toMatchObject(expected)
  })

  it.each(['prefer', 'allow', 'yes', 'constructor'])('is none where sslmode is %j, which says nothing certain', async (mode) => {
    await expect(addressOf('db', env({ DATABASE_URL: `postgres://host/main?sslmode=${mode}` }), false)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('sslmode'),
    })
  })

  it('is its Hyperdrive’s, where it has one and that is wanted', async () => {
    const through = env({ HYPERDRIVE_DB_READER: { connectionString: 'postgresql://user:p%40ss@hyperdrive.local:5432/cached?sslmode=disable' } })

    const addresses = await Promise.all([addressOf('db_reader', through, true), addressOf('db_reader', through, false), addressOf('db', through, true)])

    expect(addresses).toMatchObject([
      { host: 'hyperdrive.local', user: 'user', password: 'p@ss', database: 'cached', isTls: false },
      { host: 'db.example', user: 'db_reader' },
      { host: 'db.example', user: 'db' },
    ])
  })
})
