import { expect, it } from 'vitest'
import { chosenFrom, deploymentOrder, type Deployable } from '../deployment-order.ts'

const worker = (name: string, config: Partial<Deployable['config']> = {}): Deployable => ({
  name,
  config: { name, main: 'src/index.ts', compatibility_date: '2026-11-01', ...config },
})

const bound = (...services: string[]) => ({ services: services.map((service) => ({ binding: `${service.toUpperCase()}_SERVICE`, service })) })

it('puts every Worker behind those it is bound to, and those that need nothing of each other by name', () => {
  const workers = [worker('gateway', bound('auth', 'db', 'mcp')), worker('mcp', bound('db', 'auth')), worker('zoo'), worker('auth', bound('db')), worker('db')]

  const order = deploymentOrder(workers)

  expect(order).toEqual(['db', 'auth', 'mcp', 'gateway', 'zoo'])
})

it('waits for the outbound Worker of a dispatch namespace', () => {
  const namespace = { binding: 'TENANT', namespace: 'tenants', outbound: { service: 'outlet' } }

  const order = deploymentOrder([worker('dispatcher', { dispatch_namespaces: [namespace] }), worker('outlet')])

  expect(order).toEqual(['outlet', 'dispatcher'])
})

it('waits for the Worker whose Durable Objects another uses', () => {
  const objects = { bindings: [{ name: 'Counters', class_name: 'Counter', script_name: 'owner' }] }

  const order = deploymentOrder([worker('borrower', { durable_objects: objects }), worker('owner')])

  expect(order).toEqual(['owner', 'borrower'])
})

it('lets a Worker be bound to itself', () => {
  const namespace = { binding: 'TENANT', namespace: 'tenants', outbound: { service: 'dispatcher' } }

  const order = deploymentOrder([worker('dispatcher', { dispatch_namespaces: [namespace] })])

  expect(order).toEqual(['dispatcher'])
})

it('names the members of a cycle, and nobody who only leads into it', () => {
  const workers = [worker('a', bound('b')), worker('b', bound('c')), worker('c', bound('d')), worker('d', bound('b'))]

  expect(() => deploymentOrder(workers)).toThrow('Workers that wait for each other cannot be deployed: b → c → d → b')
})

it('names a binding to a Worker that is not there', () => {
  expect(() => deploymentOrder([worker('gateway', bound('auth'))])).toThrow('gateway is bound to auth, which is no Worker here')
})

it('keeps the order of those that are wanted, however they were named', () => {
  expect(chosenFrom(['db', 'auth', 'gateway'], ['gateway', 'db'])).toEqual(['db', 'gateway'])
  expect(chosenFrom(['db', 'auth', 'gateway'], [])).toEqual(['db', 'auth', 'gateway'])
})

it('refuses a name that no Worker has, and says which there are', () => {
  expect(() => chosenFrom(['db', 'auth'], ['db', 'atuh'])).toThrow('no Worker is called atuh; there are: auth, db')
})
