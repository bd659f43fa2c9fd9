/**
 * What makes the same value the same text on every engine, for as long as a transaction lasts. A session of the embedded engine may say these texts and no others, since
 * all roles share its one backend.
 */
export const copySettings: readonly string[] = [
  "set local datestyle to 'ISO, YMD'",
  "set local intervalstyle to 'postgres'",
  "set local timezone to 'UTC'",
  'set local extra_float_digits to 1',
  "set local bytea_output to 'hex'",
  "set local lc_monetary to 'C'",
  // So an extension's types are written without a schema.
  'set local search_path to pg_catalog, extensions',
]
