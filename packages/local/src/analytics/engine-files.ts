import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivateFile } from '../host/private-file.ts'

/** The only database there is. */
export const DATABASE = 'platform'

/** An answer is held in memory as a whole. */
export const MAX_RESULT_BYTES = 128 * 1024 ** 2

/** All rights there are, whoever asks: on one database, and on no source of data outside it, such as files, URLs and other servers. */
const RIGHTS = 'SHOW, CHECK, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, TRUNCATE, OPTIMIZE'

/** What no statement may change: settings that read or write files, that turn text into statements, or that lay tables elsewhere. */
const FIXED_SETTINGS = [
  'additional_result_filter',
  'additional_table_filters',
  'allow_experimental_ai_functions',
  'allow_experimental_eval_table_function',
  'allow_introspection_functions',
  'async_insert',
  'dialect',
  'format_schema',
  'format_schema_source',
  'format_template_resultset',
  'format_template_row',
  'implicit_select',
  'input_format_record_errors_file_path',
  'merge_tree_disk',
  'merge_tree_storage_policy',
  'merge_tree_table_disk',
]

/** Limits of one query and of all together, for a machine that has other work. */
const SETTINGS = {
  allow_introspection_functions: '0',
  // An insert is acknowledged when its rows are written.
  async_insert: '0',
  implicit_select: '0',
  max_memory_usage: String(1024 ** 3),
  max_result_bytes: String(MAX_RESULT_BYTES),
  output_format_json_quote_64bit_integers: '1',
  result_overflow_mode: 'throw',
}

/** Writes the engine's configuration: its one user with few rights, and a small size. Answers the file's path. */
export async function writeEngineFiles(dir: string, executionLimitSeconds: number): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const [config, users] = [join(dir, 'config.xml'), join(dir, 'users.xml')]
  await writePrivateFile(users, usersXml(executionLimitSeconds))
  await writePrivateFile(config, configXml(users))
  return config
}

function usersXml(executionLimitSeconds: number): string {
  const settings = Object.entries({ ...SETTINGS, max_execution_time: String(executionLimitSeconds) }).map(([name, value]) => element(name, value))
  const fixed = FIXED_SETTINGS.map((name) => element(name, '<const/>'))
  const constraints = element('constraints', [...fixed, element('max_execution_time', element('max', String(executionLimitSeconds)))].join(''))
  const user = [
    '<password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>',
    element('grants', element('query', `GRANT ${RIGHTS} ON ${DATABASE}.*`)),
  ]
  return document(
    element('profiles', element('default', settings.join('') + constraints)),
    element('users', element('default', user.join(''))),
    element('quotas', '<default></default>'),
  )
}

function configXml(users: string): string {
  const sizes = {
    background_pool_size: 2,
    background_schedule_pool_size: 4,
    mark_cache_size: 64 * 1024 ** 2,
    uncompressed_cache_size: 0,
    max_server_memory_usage: 2 * 1024 ** 3,
  }
  return document(element('users_config', escaped(users)), ...Object.entries(sizes).map(([name, value]) => element(name, String(value))))
}

const document = (...elements: string[]): string => element('clickhouse', elements.join('\n'))
const element = (name: string, content: string): string => `<${name}>${content}</${name}>`
const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
