/** Whether two texts are equal, in a time that depends on their lengths alone: a guesser learns nothing from how long a wrong guess takes. */
export function equalConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index % b.length)
  return difference === 0
}
