/** Makes what `Math.random` gives the same in each run: mulberry32 (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). Ids come from `crypto`, and stay unique. */
export function installSteadyChance(): void {
  let state = 0x9e3779b9
  Math.random = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
