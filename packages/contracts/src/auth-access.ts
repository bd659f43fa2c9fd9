import * as z from 'zod'
import { permissionSchema, text } from '@dot-do/worker-schemas'
import { command, query } from './contract.ts'
import { Member, organisation, permissions, roleName, userId } from './identity.ts'

const Role = z.object({ name: z.string(), permissions: z.array(z.string()), builtIn: z.boolean() }).meta({ id: 'Role' })
const member = { user: userId, organisation: organisation.optional().describe("The asker's own unless told") }

/** Roles, what they permit, and who has them. Nobody can give what they lack. */
export const accessOperations = {
  listRoles: query({
    summary: 'List the roles and what each may do',
    input: z.object({ organisation: organisation.optional().describe("The asker's own unless told") }),
    output: z.object({ roles: z.array(Role) }),
    permission: 'authenticated',
    http: 'GET /roles',
    tool: true,
  }),
  createRole: command({
    summary: 'Make a role of the organisation’s own',
    input: z.object({ name: roleName, permissions: permissions.min(1) }),
    output: Role,
    permission: 'roles:write',
    repeat: 'keyed',
    http: 'POST /roles',
    status: () => 201,
    statuses: [201],
    tool: true,
  }),
  updateRole: command({
    summary: 'Change what a role may do; sessions follow when they refresh, and within five seconds where it may do less',
    input: z.object({ name: roleName, permissions: permissions.min(1) }),
    output: Role,
    permission: 'roles:write',
    repeat: 'natural',
    http: 'PUT /roles/:name',
    tool: true,
  }),
  deleteRole: command({
    summary: 'Delete a role of the organisation’s own; whoever has it loses it',
    input: z.object({ name: roleName }),
    output: Role,
    permission: 'roles:write',
    repeat: 'natural',
    http: 'DELETE /roles/:name',
    tool: true,
  }),
  assignRole: command({
    summary: 'Give a member a role',
    input: z.object({ ...member, role: roleName }),
    output: Member,
    permission: 'members:write',
    repeat: 'natural',
    http: 'POST /roles/:role/members',
    tool: true,
  }),
  unassignRole: command({
    summary: 'Take a role from a member; what it permitted is refused within five seconds',
    description: 'The last admin stays.',
    input: z.object({ ...member, role: roleName }),
    output: Member,
    permission: 'members:write',
    repeat: 'natural',
    http: 'DELETE /roles/:role/members/:user',
    tool: true,
  }),
  grantPermission: command({
    summary: 'Let a member do one thing more than their roles permit',
    input: z.object({ ...member, permission: permissionSchema }),
    output: Member,
    permission: 'members:write',
    repeat: 'natural',
    http: 'POST /members/:user/permissions',
    tool: true,
  }),
  revokePermission: command({
    summary: 'Take such a grant back; it is refused within five seconds',
    input: z.object({ ...member, permission: permissionSchema }),
    output: Member,
    permission: 'members:write',
    repeat: 'natural',
    http: 'DELETE /members/:user/permissions',
    tool: true,
  }),
  can: query({
    summary: 'Tell whether the asker may do something, and why',
    input: z.object({
      permission: permissionSchema,
      service: text(63).optional(),
      environment: text(63).optional(),
      tenant: text(63).optional(),
      resource: text(512).optional().describe('Instead of the three: `service/environment/tenant`, `*` for what is not narrowed'),
    }),
    output: z.object({ allowed: z.boolean(), reason: z.string() }),
    permission: 'authenticated',
    http: 'GET /can',
    tool: true,
  }),
}
