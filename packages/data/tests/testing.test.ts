import { afterAll, beforeAll, expect, it } from 'vitest'
import { testDatabase } from '../src/testing.ts'
import type { TestDatabase } from '../src/testing.ts'
import { workspace } from './workspace.ts'
import type { Workspace } from './workspace.ts'

const migration = `
create table shop.customers (id bigint generated always as identity primary key, name text not null);
create table shop.orders (id serial primary key, customer bigint not null references shop.customers);
insert into shop.customers (name) values ('first');
`

let folders: Workspace
let database: TestDatabase

beforeAll(async () => {
  folders = await workspace({ shop: { '0001_shop.sql': migration } })
  database = await testDatabase(folders.services)
}, 60_000)
afterAll(() => folders.remove())

const statement = (sql: string) => ({ sql, params: [] })
const contents = async () =>
  (await database.execute('shop')([statement('select id, name from customers'), statement('select id, customer from orders')])).map(({ rows }) => rows)

it('brings rows and sequences back to what the migrations left', async () => {
  const execute = database.execute('shop')
  await execute([
    statement(`update customers set name = 'changed'`),
    statement(`insert into customers (name) values ('second')`),
    statement('insert into orders (customer) values (2), (1)'),
  ])

  await database.reset()

  expect(await contents()).toEqual([[['1', 'first']], []])
  const [customer, order] = await execute([
    statement(`insert into customers (name) values ('next') returning id`),
    statement('insert into orders (customer) values (1) returning id'),
  ])
  expect(customer?.rows).toEqual([['2']])
  expect(order?.rows).toEqual([['1']])
})

it('is one database for all who ask for the same services', async () => {
  expect(await testDatabase(folders.services)).toBe(database)
})

it('still checks foreign keys after a reset', async () => {
  await database.reset()

  await expect(database.execute('shop')([statement('insert into orders (customer) values (77)')])).rejects.toMatchObject({ code: '23503' })
})
