// Loads the library under test. zerowire offers what zeromq.js does, so that one program serves
// both.
import { createRequire } from 'node:module'

/** Entry point of this package, or of a build named by ZEROWIRE_ENTRY. */
const zerowire = process.env.ZEROWIRE_ENTRY ?? '../../dist/esm/index.js'

export async function loadPeer(name) {
  if (name === 'zerowire') {
    const library = await import(zerowire)
    return { library, version: library.version }
  }
  if (name === 'zeromq') {
    const library = await import('zeromq')
    const { version } = createRequire(import.meta.url)('zeromq/package.json')
    return { library, version }
  }
  if (name === 'net') return { library: null, version: process.version }
  throw new Error('--peer must be zerowire, zeromq or net')
}
