import { describe, expect, it } from 'vitest'
import { copySettings } from '../src/engines/copy-settings.ts'
import { firstKeyword, guard, guardSession, onlyReads, touchesSession } from '../src/engines/guard.ts'
import { encodeValue } from '../src/engines/values.ts'

const statement = (sql: string) => ({ sql, params: [] })

describe('the first keyword', () => {
  it.each([
    ['select 1', 'SELECT'],
    ['  \n\t((select 1))', 'SELECT'],
    ['-- reset role\nselect 1', 'SELECT'],
    ['-- select 1\rreset role', 'RESET'],
    ['/* a /* select */ b */ reset role', 'RESET'],
    ['/* never closed select 1', ''],
    ['/**/ -- x\n ( /* y */ Values (1))', 'VALUES'],
    ['"select" 1', ''],
    ['', ''],
    ['--', ''],
    ['\u00a0select 1', 'SELECT'],
  ])('of %j is %j', (sql, keyword) => {
    expect(firstKeyword(sql)).toBe(keyword)
  })
})

describe('the guard', () => {
  it.each(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'WITH', 'VALUES', 'MERGE'])('lets a service run %s', (keyword) => {
    expect(() => guard('db', [statement(`${keyword} …`)])).not.toThrow()
  })

  it.each([
    'SET',
    'RESET',
    'DO',
    'COPY',
    'BEGIN',
    'COMMIT',
    'CREATE',
    'PREPARE',
    'EXECUTE',
    'DECLARE',
    'TABLE',
    'EXPLAIN',
    'CALL',
    'GRANT',
    'LOCK',
    'LISTEN',
    'SELECTED',
    ';SELECT',
  ])('refuses %s from a service and not from the owner', (keyword) => {
    expect(() => guard('db', [statement('select 1'), statement(`${keyword} x`)])).toThrow(expect.objectContaining({ code: '42501' }))
    expect(() => guard(null, [statement(`${keyword} x`)])).not.toThrow()
  })

  it('refuses NUL and an empty batch from everyone', () => {
    expect(() => guard(null, [statement('select 1\0')])).toThrow(expect.objectContaining({ code: '22021' }))
    expect(() => guard(null, [])).toThrow(expect.objectContaining({ code: '42601' }))
  })

  it('tells reads from what may write, and finds what may stay in a session', () => {
    expect(onlyReads([statement('select 1'), statement('values (1)')])).toBe(true)
    expect(onlyReads([statement('select 1'), statement('with d as (delete from t) select 1')])).toBe(false)
    expect(touchesSession([statement('select pg_advisory_lock(1)')])).toBe(true)
    expect(touchesSession([statement('select * from things')])).toBe(false)
  })
})

describe('a value', () => {
  it.each([
    [null, null],
    ['text', 'text'],
    [1.5, '1.5'],
    [true, 'true'],
    [{ a: [1] }, '{"a":[1]}'],
    [[1, null, 'a"b\\c', [true]], '{"1",NULL,"a\\"b\\\\c",{"true"}}'],
    [new Uint8Array([0, 255]), '\\x00ff'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
  ])('%j is written as %j', (value, text) => {
    expect(encodeValue(value)).toBe(text)
  })
})

describe('the guard of a session', () => {
  it.each([
    'select 1',
    'begin',
    'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY',
    'start transaction',
    'commit',
    'end',
    'rollback to savepoint s',
    'abort',
    'savepoint s',
    'release s',
    "set local idle_in_transaction_session_timeout = '10s'",
    'SET LOCAL idle_in_transaction_session_timeout TO 500;',
    ...copySettings,
    '',
    ' ; ',
    '-- nothing',
    '/* nothing */;',
  ])('lets %j pass', (sql) => {
    expect(() => guardSession(sql)).not.toThrow()
  })

  it.each([
    'set role x',
    'set local role x',
    'set idle_in_transaction_session_timeout = 1',
    ...copySettings.flatMap((sql) => [sql.replace(' local', ''), `${sql}; set role x`]),
    'set local search_path to auth',
    "set local idle_in_transaction_session_timeout = '1s'; set role x",
    'set local idle_in_transaction_session_timeout = (select 1)',
    'reset role',
    'do $$ begin end $$',
    'prepare transaction $1',
    'execute p',
    'copy t to stdout',
    'listen x',
    'lock t',
    '"begin"',
  ])('refuses %j', (sql) => {
    expect(() => guardSession(sql)).toThrow(expect.objectContaining({ code: '42501' }))
  })
})
