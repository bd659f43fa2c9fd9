import { deploy as contract } from '@dot-do/worker-contracts/deploy'
import { postgresLedger } from '@dot-do/worker-data/ledger'
import { trackCalls } from '@dot-do/worker-data/tracking'
import { implement } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/deploy.json' with { type: 'json' }
import { auditRefusal } from './audit.ts'
import type { Env } from './env.ts'
import { canary } from './operations/canary.ts'
import { deploy } from './operations/deploy.ts'
import { addDomain, listDomains, removeDomain, verifyDomain } from './operations/domains.ts'
import { health } from './operations/health.ts'
import { diff, getDeployment, listDeployments, listVersions } from './operations/history.ts'
import { promote } from './operations/promote.ts'
import { rollback } from './operations/rollback.ts'
import { listSecrets, removeSecret, setSecret } from './operations/secrets.ts'
import { getWorker, unpublish } from './operations/workers.ts'
import { SCHEMA } from './tables.ts'

const changes = { deploy, rollback, promote, canary, unpublish }
const queries = { health, getWorker, listDeployments, getDeployment, listVersions, diff }
const belongings = { setSecret, listSecrets, removeSecret, addDomain, listDomains, verifyDomain, removeDomain }

/** What deploy does, by contract. */
export const service = implement<typeof contract, Env>(
  contract,
  { ...queries, ...changes, ...belongings },
  { document, ledger: postgresLedger(SCHEMA), refused: auditRefusal, observed: trackCalls('deploy') },
)
