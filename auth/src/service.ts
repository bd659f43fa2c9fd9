import { auth } from '@dot-do/worker-contracts/auth'
import { postgresLedger } from '@dot-do/worker-data/ledger'
import { trackCalls } from '@dot-do/worker-data/tracking'
import { implement } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/auth.json' with { type: 'json' }
import type { Env } from './env.ts'
import { listAudit, recordAudit, verifyAudit } from './operations/audit.ts'
import { refreshSession, sendCode, signIn } from './operations/codes.ts'
import { applyDirectoryEvent, linkDirectory } from './operations/directory.ts'
import { health } from './operations/health.ts'
import { acceptInvite, createInvite, listInvites, revokeInvite } from './operations/invites.ts'
import { createKey, getKey, listKeys, revokeKey, rotateKey } from './operations/keys.ts'
import { cleanUpKeys, cleanUpSessions, resolvePrincipal } from './operations/maintenance.ts'
import { assignRole, grantPermission, listMembers, removeMember, revokePermission, unassignRole } from './operations/members.ts'
import { createOrganisation, deleteOrganisation, getOrganisation, listOrganisations, updateOrganisation } from './operations/organisations.ts'
import { can } from './operations/permissions.ts'
import { createRole, deleteRole, listRoles, updateRole } from './operations/roles.ts'
import { getMe, listSessions, logout, logoutEverywhere, revokeSession } from './operations/sessions.ts'
import { listSigningKeys, rotateSigningKey, tokenVerification } from './operations/signing-keys.ts'
import { disableUser, enableUser, listUsers } from './operations/users.ts'
import { verifyKey } from './operations/verification.ts'
import { createTrust, deleteTrust, exchangeToken, listTrusts } from './operations/workloads.ts'
import { SCHEMA } from './tables.ts'

/** What auth does, by contract. */
export const service = implement<typeof auth, Env>(
  auth,
  {
    health,
    createKey,
    listKeys,
    getKey,
    rotateKey,
    revokeKey,
    verifyKey,
    listRoles,
    createRole,
    updateRole,
    deleteRole,
    assignRole,
    unassignRole,
    grantPermission,
    revokePermission,
    can,
    createOrganisation,
    listOrganisations,
    getOrganisation,
    updateOrganisation,
    deleteOrganisation,
    listMembers,
    removeMember,
    createInvite,
    listInvites,
    revokeInvite,
    acceptInvite,
    linkDirectory,
    applyDirectoryEvent,
    createTrust,
    listTrusts,
    deleteTrust,
    exchangeToken,
    sendCode,
    signIn,
    refreshSession,
    listSessions,
    revokeSession,
    logout,
    logoutEverywhere,
    getMe,
    listUsers,
    disableUser,
    enableUser,
    tokenVerification,
    listSigningKeys,
    rotateSigningKey,
    resolvePrincipal,
    cleanUpSessions,
    cleanUpKeys,
    recordAudit,
    listAudit,
    verifyAudit,
  },
  { document, ledger: postgresLedger(SCHEMA), observed: trackCalls('auth') },
)
