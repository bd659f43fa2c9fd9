import * as z from 'zod'
import { paginatedResponseSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { command, query } from './contract.ts'
import { device, email, Organisation, organisation, page, PrincipalShape, Session, sessionId, Tokens, User, userId } from './identity.ts'

/** A public key that access tokens are verified with (RFC 8037). */
const PublicKey = z
  .object({ kid: z.string(), kty: z.literal('OKP'), crv: z.literal('Ed25519'), alg: z.literal('EdDSA'), use: z.literal('sig'), x: z.string() })
  .meta({ id: 'PublicKey' })

/** Signing in, staying so, and ending it. */
export const sessionOperations = {
  sendCode: command({
    summary: 'Send a one-time code to an e-mail address, to sign in with',
    description: 'The answer is the same whether or not somebody is known by the address. A code holds for ten minutes and for one use; a new one replaces it.',
    input: z.object({ email }),
    output: z.object({ sent: z.literal(true), expiresInSeconds: z.int() }),
    permission: 'public',
    repeat: 'unsafe',
    http: 'POST /codes',
    limit: 'auth',
  }),
  signIn: command({
    summary: 'Sign in with a one-time code',
    description: 'After ten wrong codes nobody can sign in by the address for fifteen minutes.',
    input: z.object({
      email,
      code: text(16),
      organisation: organisation.optional().describe('Whose member to act as; the one of the last session unless told'),
      device,
    }),
    output: Tokens,
    permission: 'public',
    repeat: 'unsafe',
    http: 'POST /sessions',
    status: () => 201,
    statuses: [201],
    limit: 'auth',
  }),
  refreshSession: command({
    summary: 'Get a new access token for a refresh token, which is thereby spent',
    description:
      'Roles are looked up anew. Within ten seconds the same refresh token gets the same answer, so that two tabs may race; after that its reuse ends the session.',
    input: z.object({ refreshToken: text(256), organisation: organisation.optional().describe('Acts as a member of another organisation from now on') }),
    output: Tokens,
    permission: 'public',
    repeat: 'unsafe',
    http: 'POST /refresh',
    limit: 'auth',
  }),
  listSessions: query({
    summary: 'List where one is signed in, last used first',
    input: z.object({
      ...page,
      user: userId.optional().describe("Another user's; needs the permission `sessions:read`"),
      includeRevoked: z.boolean().default(false),
    }),
    output: paginatedResponseSchema(Session),
    permission: 'authenticated',
    http: 'GET /sessions',
    tool: true,
  }),
  revokeSession: command({
    summary: 'Sign a device out; its access token lives on for its hour at most, or for five seconds if `strict`',
    description: "One's own; another user's needs the permission `sessions:write`.",
    input: z.object({ id: sessionId, strict: z.boolean().default(false).describe('Also refuse the access token that is out, everywhere within five seconds') }),
    output: Session,
    permission: 'authenticated',
    repeat: 'natural',
    http: 'DELETE /sessions/:id',
    tool: true,
  }),
  logout: command({
    summary: 'End the session that asks',
    input: z.object({}),
    output: z.object({ session: sessionId }),
    permission: 'authenticated',
    repeat: 'natural',
    http: 'POST /logout',
  }),
  logoutEverywhere: command({
    summary: 'End every session of a user, and refuse their access tokens within five seconds',
    input: z.object({ user: userId.optional().describe('Another user; needs the permission `sessions:write`') }),
    output: z.object({ sessions: z.int().describe('How many were ended') }),
    permission: 'authenticated',
    repeat: 'natural',
    http: 'POST /logout-everywhere',
    tool: true,
  }),
  getMe: query({
    summary: 'Tell who is asking, and what they may do',
    input: z.object({}),
    output: z.object({ principal: PrincipalShape, user: User.nullable(), organisation: Organisation.nullable(), session: Session.nullable() }),
    permission: 'authenticated',
    http: 'GET /me',
    tool: true,
  }),
  listUsers: query({
    summary: 'List users, newest first',
    input: z.object({ ...page, email: text(254).optional() }),
    output: paginatedResponseSchema(User),
    permission: 'users:read',
    http: 'GET /users',
    tool: true,
  }),
  disableUser: command({
    summary: 'Keep a user from signing in, and end their sessions',
    input: z.object({ id: userId }),
    output: User,
    permission: 'users:write',
    repeat: 'natural',
    http: 'POST /users/:id/disable',
    tool: true,
  }),
  enableUser: command({
    summary: 'Let a disabled user sign in again',
    input: z.object({ id: userId }),
    output: User,
    permission: 'users:write',
    repeat: 'natural',
    http: 'POST /users/:id/enable',
    tool: true,
  }),
  tokenVerification: query({
    summary: 'Tell what it takes to verify access tokens: whose they are, with which keys, and which are refused early',
    description: 'Asked at most every few seconds wherever tokens are verified, and never for a single token.',
    input: z.object({}),
    output: z.object({
      issuer: z.string(),
      audience: z.string(),
      keys: z.array(PublicKey),
      revoked: z
        .array(
          z.object({
            subject: z.string().describe('A session or a user'),
            before: timestampSchema.describe('Tokens of the subject issued up to then are refused'),
          }),
        )
        .describe('Those that could still be in use'),
    }),
    permission: 'keys:verify',
  }),
  listSigningKeys: query({
    summary: 'List the keys that access tokens are signed with, newest first',
    input: z.object({}),
    output: z.object({
      keys: z.array(
        PublicKey.pick({ kid: true }).extend({
          state: z.enum(['next', 'current', 'retired']).describe('next: published, not yet used; retired: still verifies what it signed'),
          createdAt: timestampSchema,
          retiredAt: timestampSchema.nullable(),
        }),
      ),
    }),
    permission: 'signing-keys:read',
    http: 'GET /signing-keys',
  }),
  rotateSigningKey: command({
    summary: 'Sign access tokens with the next key from now on; those signed before stay good until they expire',
    input: z.object({}),
    output: z.object({ kid: z.string().describe('The key that signs now') }),
    permission: 'signing-keys:write',
    repeat: 'keyed',
    http: 'POST /signing-keys/rotate',
  }),
}
