/** What every Worker of the platform finds in its env. */
export interface BaseEnv {
  /** `live` or `test`: the sort of API key this deployment takes. */
  KEY_MODE?: string
  /** The least severe log line that is written: `debug`, `info` (default), `warn` or `error`. */
  LOG_LEVEL?: string
}
