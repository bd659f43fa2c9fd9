/** https://developers.cloudflare.com/api/resources/workers gives the pattern; 255 is also what a file name may have. */
const NAME = /^[a-z0-9_][a-z0-9_-]{0,254}$/

/** Whether a script can be called so. */
export function isScriptName(name: string): boolean {
  return NAME.test(name)
}

/** Whether a dispatch namespace can be called so. */
export function isNamespaceName(name: string): boolean {
  return NAME.test(name)
}
