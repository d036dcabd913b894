// Finds and loads the native addon. The places are those of node-gyp, prebuildify and
// node-gyp-build, so that all their tools work; the choice of the C library is our own, because a
// musl system need not be Alpine Linux.
import fs = require('node:fs')
import path = require('node:path')

const NAME = 'zerowire.node'

/** The package's folder: the compiled loader is in dist/esm and dist/cjs. */
const root = path.join(__dirname, '..', '..')

/** The C library this process runs on, named as in a prebuilt file's tags. */
function libc(): 'glibc' | 'musl' {
  // The dynamic loader is named in the first page of the program. A report of the process would
  // tell too, but takes its time.
  const head = Buffer.alloc(4096)
  const fd = fs.openSync(process.execPath, 'r')
  fs.readSync(fd, head, 0, head.length, 0)
  fs.closeSync(fd)
  return head.includes('/ld-musl-') ? 'musl' : 'glibc'
}

/** A local build first, then the prebuilt files of this platform that fit its C library. */
function candidates(): string[] {
  const folder = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`)
  const prebuilt = fs.existsSync(folder) ? fs.readdirSync(folder) : []
  const other = prebuilt.length > 0 && libc() === 'glibc' ? 'musl' : 'glibc'
  const fitting = prebuilt.filter((file) => {
    return file.endsWith('.node') && !file.split('.').includes(other)
  })
  return [path.join(root, 'build', 'Release', NAME), ...fitting.map((f) => path.join(folder, f))]
}

function load(): unknown {
  const failures: string[] = []
  for (const file of candidates().filter((file) => fs.existsSync(file))) {
    try {
      // Not by require(), which would give a second copy of the package the first one's addon.
      const addon = { exports: {} }
      process.dlopen(addon, file)
      return addon.exports
    } catch (error) {
      failures.push(`\n  ${file}: ${(error as Error).message}`)
    }
  }
  const target = `${process.platform}-${process.arch}, Node.js ${process.version}`
  const message = `zerowire has no native addon for ${target}; build it with: npx zerowire-build`
  throw Object.assign(new Error(message + failures.join('')), { code: 'ERR_NO_NATIVE_ADDON' })
}

export = load()
