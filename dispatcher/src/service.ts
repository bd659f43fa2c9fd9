import { dispatcher } from '@dot-do/worker-contracts/dispatcher'
import { trackCalls } from '@dot-do/worker-data/tracking'
import { implement } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/dispatcher.json' with { type: 'json' }
import type { Env } from './env.ts'
import { addDomain, listDomains, removeDomain, verifyDomain } from './operations/domains.ts'
import { health } from './operations/health.ts'
import { activate, dropVersions, getPointer, keepVersion, reserveVersion, rollback, setCanary, takeDown } from './operations/pointers.ts'
import { resolve } from './operations/resolution.ts'
import { getTenant, setTenant } from './operations/tenants.ts'

const pointers = { getPointer, reserveVersion, keepVersion, dropVersions, activate, rollback, setCanary, takeDown }
const domains = { addDomain, listDomains, verifyDomain, removeDomain }

/** What the dispatcher does, by contract. */
export const service = implement<typeof dispatcher, Env>(
  dispatcher,
  { health, resolve, ...pointers, ...domains, getTenant, setTenant },
  { document, observed: trackCalls('dispatcher') },
)
