import { NeonDbError } from '@neondatabase/serverless'
import { ServiceError } from '@dot-do/worker-utils'
import { describe, expect, it } from 'vitest'
import { databaseError } from '../src/database-error.ts'

function refusal(code: string, fields: Partial<NeonDbError> = {}): NeonDbError {
  return Object.assign(new NeonDbError('what PostgreSQL said'), { code, ...fields })
}

describe('what the driver throws', () => {
  it.each([
    ['unique_violation', '23505', 'CONFLICT'],
    ['foreign_key_violation', '23503', 'CONFLICT'],
    ['exclusion_violation', '23P01', 'CONFLICT'],
    ['not_null_violation', '23502', 'INVALID'],
    ['check_violation', '23514', 'INVALID'],
    ['serialization_failure', '40001', 'UNAVAILABLE'],
    ['deadlock_detected', '40P01', 'UNAVAILABLE'],
    ['insufficient_privilege', '42501', 'FORBIDDEN'],
    ['read_only_sql_transaction', '25006', 'FORBIDDEN'],
    ['protocol_violation', '08P01', 'INVALID'],
    ['connection_failure', '08006', 'UNAVAILABLE'],
    ['too_many_connections', '53300', 'UNAVAILABLE'],
    ['query_canceled', '57014', 'UNAVAILABLE'],
    ['admin_shutdown', '57P01', 'UNAVAILABLE'],
    ['in_failed_sql_transaction', '25P02', 'CONFLICT'],
    ['idle_in_transaction_session_timeout', '25P03', 'CONFLICT'],
    ['program_limit_exceeded', '54000', 'INVALID'],
    ['feature_not_supported', '0A000', 'INVALID'],
    ['division_by_zero', '22012', 'INVALID'],
    ['undefined_table', '42P01', 'INVALID'],
    ['syntax_error', '42601', 'INVALID'],
    ['statement_too_complex', '54001', 'INVALID'],
    ['invalid_password', '28P01', 'INTERNAL'],
    ['internal_error', 'XX000', 'INTERNAL'],
  ])('%s (%s) is %s', (_name, sqlstate, code) => {
    expect(databaseError(refusal(sqlstate)).code).toBe(code)
  })

  it.each([
    ['DO404', 'NOT_FOUND'],
    ['DO409', 'CONFLICT'],
  ])('%s, raised by our own functions, is %s with its message and the field it is about', (sqlstate, code) => {
    const error = databaseError(refusal(sqlstate, { detail: 'commands.2.input.id' }))

    expect(error).toMatchObject({ code, message: 'what PostgreSQL said', details: [{ path: 'commands.2.input.id', message: 'what PostgreSQL said' }] })
  })

  it('hands on the state and the constraint, and never the detail, which quotes rows', () => {
    const error = databaseError(refusal('23505', { constraint: 'keys_hash_key', detail: 'Key (hash)=(secret) already exists.' }))

    expect(error.details).toEqual([
      { path: 'sqlstate', message: '23505' },
      { path: 'constraint', message: 'keys_hash_key' },
    ])
    expect(JSON.stringify({ message: error.message, details: error.details })).not.toContain('secret')
  })

  it.each(['57P01', '08006', '40001'])('keeps the server’s own words to itself when it is %s', (sqlstate) => {
    expect(databaseError(refusal(sqlstate)).message).toBe('The database cannot answer now')
  })

  it('leaves an error of ours as it is, also one that crossed RPC', () => {
    const crossed = Object.assign(new Error('The database failed'), { name: 'ServiceError', code: 'INTERNAL', remote: true })

    expect(databaseError(crossed)).toMatchObject({ code: 'INTERNAL', message: 'The database failed' })
    expect(databaseError(new ServiceError('CONFLICT', 'The transaction is over'))).toMatchObject({ code: 'CONFLICT', message: 'The transaction is over' })
  })

  it.each([
    ['an error without a state', new TypeError('fetch failed: connect ECONNREFUSED 10.0.0.7')],
    ['a driver’s error without one', new NeonDbError('Error connecting to database')],
    ['a time-out', new DOMException('The operation timed out', 'TimeoutError')],
    ['a code that is no state', Object.assign(new Error('socket'), { code: 'ECONNRESET' })],
    ['what is no error', 'text'],
  ])('is UNAVAILABLE, without an address, for %s', (_name, thrown) => {
    const { code, message } = databaseError(thrown)

    expect({ code, message }).toEqual({ code: 'UNAVAILABLE', message: 'The database cannot be reached' })
  })
})
