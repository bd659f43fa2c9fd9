/**
 * Puts a `Date` in the place of the global one that tells the time it was set to, and stands still until it is set again. Dates that exist stay what they are.
 * Answers what sets the time, in milliseconds since 1970. `Intl` and timers go by the machine's own time.
 */
export function installStandingDate(start: number): (now: number) => void {
  let now = start
  const real = Date
  const tell = () => now
  const standing = new Proxy(real, {
    apply: () => new real(now).toString(),
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now] : args, newTarget) as Date,
    get: (target, key) => (key === 'now' ? tell : Reflect.get(target, key)),
  })
  real.prototype.constructor = standing
  globalThis.Date = standing
  return (time) => {
    now = time
  }
}
