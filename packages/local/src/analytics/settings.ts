import { MAX_RESULT_BYTES } from './engine-files.ts'
import { refusal } from './refusal.ts'

/** Settings that a request may carry, with the most they may say where they are a limit. They are set for that request alone. */
const SERVED: Readonly<Record<string, number | undefined>> = {
  date_time_input_format: undefined,
  date_time_output_format: undefined,
  input_format_defaults_for_omitted_fields: undefined,
  input_format_null_as_default: undefined,
  input_format_skip_unknown_fields: undefined,
  insert_deduplicate: undefined,
  insert_deduplication_token: undefined,
  join_use_nulls: undefined,
  max_block_size: 1_048_576,
  max_bytes_to_read: Infinity,
  max_execution_time: Infinity,
  max_memory_usage: 1024 ** 3,
  max_result_bytes: MAX_RESULT_BYTES,
  max_result_rows: Infinity,
  max_rows_to_read: Infinity,
  max_threads: 16,
  output_format_json_array_of_rows: undefined,
  output_format_json_quote_64bit_floats: undefined,
  output_format_json_quote_64bit_integers: undefined,
  output_format_json_quote_decimals: undefined,
  output_format_json_quote_denormals: undefined,
  output_format_write_statistics: undefined,
  session_timezone: undefined,
}

/**
 * Parameters of a request that ask for what is so anyway: an answer comes when its query has ended, and an insert is acknowledged when its rows are written.
 * Others are about the transport.
 */
const IDLE =
  /^(wait_end_of_query|buffer_size|async_insert|wait_for_async_insert|send_progress_in_http_headers|cancel_http_readonly_queries_on_client_close|http_\w+|client_protocol_version|log_\w+|quota_key)$/

/** Whether a parameter is accepted and changes nothing. */
export const isIdle = (name: string): boolean => IDLE.test(name)

/** What the engine is told with a connection. Fails for a setting that is not served, and for a limit above what is allowed. */
export function settingArgument(name: string, value: string, executionLimitSeconds: number): string {
  if (!Object.hasOwn(SERVED, name)) throw refusal('UNKNOWN_SETTING', `Setting ${name} is not served here`)
  const most = name === 'max_execution_time' ? executionLimitSeconds : SERVED[name]
  if (most !== undefined && !/^\d+(\.\d+)?$/.test(value)) throw refusal('BAD_ARGUMENTS', `Setting ${name} takes a number, not ${value.slice(0, 40)}`)
  // Zero stands for no limit.
  if (most !== undefined && Number.isFinite(most) && (Number(value) > most || Number(value) === 0))
    throw refusal('SETTING_CONSTRAINT_VIOLATION', `Setting ${name} shouldn't be greater than ${most}`)
  return `--${name}=${value}`
}
