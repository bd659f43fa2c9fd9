/** What a permission looks like: `*`, `deploy`, or `noun:verb` with `*` for either part, narrowed by `@service/environment/tenant`. The schema and the parser share it. */
export const permissionPattern =
  /^(?:\*|deploy|(\*|[a-z][a-z0-9_-]{0,63}):(\*|[a-z][a-z0-9_-]{0,63}))(?:@(\*|[A-Za-z0-9._~-]{1,128})(?:\/(\*|[A-Za-z0-9._~-]{1,128})(?:\/(\*|[A-Za-z0-9._~-]{1,128}))?)?)?$/

/** What a thing's id looks like: segments joined by `/`, none of them `.` or `..`. All characters are ASCII, so its length in characters is its length in bytes. */
export const thingIdPattern = /^(?!(?:.*\/)?\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*$/

/** The longest id a thing may have, in bytes. */
export const thingIdMaxBytes = 512
