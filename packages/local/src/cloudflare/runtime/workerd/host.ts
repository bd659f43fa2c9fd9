/** The Worker that hosts published scripts, as workerd sees it. */
export { Assets } from './assets.ts'
export { Bridge } from './bridge.ts'
export { Control } from './control.ts'
export { Dispatch } from './dispatch.ts'
export { Egress } from './egress.ts'
export { Isolate } from './isolate.ts'
export { Tail } from './tail.ts'
