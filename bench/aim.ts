/** A promise about a figure, and whether this run kept it. */
export interface Aim {
  text: string
  measured: string
  isMet: boolean
}

/** A figure that is to be this or more. */
export function atLeast(text: string, value: number, limit: number): Aim {
  return { text, measured: value >= 100 ? value.toFixed(0) : value.toFixed(2), isMet: value >= limit }
}

/** A figure that is to be this or less, as it is shown. */
export function atMost(text: string, { value, limit, shown }: { value: number; limit: number; shown: string }): Aim {
  return { text, measured: shown, isMet: value <= limit }
}
