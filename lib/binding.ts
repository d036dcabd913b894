import loaded from './load.cjs'
import type { Native } from './native.js'

/** The native addon. */
export const native = loaded as Native
