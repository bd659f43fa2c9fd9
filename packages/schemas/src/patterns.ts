/** What a permission looks like: `*`, `deploy`, or `noun:verb` with `*` for either part, narrowed by `@service/environment/tenant`. The schema and the parser share it. */
export const permissionPattern =
  /^(?:\*|deploy|(\*|[a-z][a-z0-9_-]{0,63}):(\*|[a-z][a-z0-9_-]{0,63}))(?:@(\*|[A-Za-z0-9._~-]{1,128})(?:\/(\*|[A-Za-z0-9._~-]{1,128})(?:\/(\*|[A-Za-z0-9._~-]{1,128}))?)?)?$/

/** What a thing's id looks like: segments joined by `/`, none of them `.` or `..`. All characters are ASCII, so its length in characters is its length in bytes. */
export const thingIdPattern = /^(?!(?:.*\/)?\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*$/

/** The longest id a thing may have, in bytes. */
export const thingIdMaxBytes = 512

/**
 * One thing as a path names it: its id, then perhaps `::Type`, then perhaps `@` and a version, a day or a moment.
 * A text that fits it has the parts as groups; whether the id is one is for `thingIdPattern`.
 */
export const thingPathPattern =
  /^(?<id>[^@:*]+)(?:::(?<type>[A-Za-z][A-Za-z0-9_.-]{0,127}))?(?:@(?:(?<version>\d{1,9})|(?<at>\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?)))?$/

/** Many things as a path names them: ids with `*` for anything within a segment and `**` for anything at all, then perhaps `::Type`. `Thing` before it, or nothing, is any id. */
export const thingGlobPattern =
  /^(?!(?:.*\/)?\.{1,2}(?:\/|:|$))(?<glob>[A-Za-z0-9._~*-]+(?:\/[A-Za-z0-9._~*-]+)*)?(?:::(?<type>[A-Za-z][A-Za-z0-9_.-]{0,127}))?$/
