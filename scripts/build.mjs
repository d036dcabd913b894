#!/usr/bin/env node
// Builds what is stale: dist (TypeScript) and build/Release/zerowire.node (node-gyp).
// Usage: node scripts/build.mjs [ts|native]
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setUp } from './setup.mjs'
import { checkSources } from './sources.mjs'
import { fail, inRoot, runQuietly } from './tools.mjs'

/** The time of the latest change of the files, or of those in the folders. */
function latestChange(...paths) {
  const times = paths.map((path) => {
    const info = statSync(inRoot(path))
    if (!info.isDirectory()) return info.mtimeMs
    return Math.max(
      info.mtimeMs,
      ...readdirSync(inRoot(path)).map((n) => latestChange(join(path, n))),
    )
  })
  return Math.max(...times)
}

/**
 * The code is compiled once, to CommonJS; the ESM entry hands on the very same classes. Two copies
 * in one process would each claim the addon's wake-ups, and `instanceof` would tell them apart.
 */
export function buildTypeScript() {
  const done = inRoot('dist/cjs/package.json')
  const configs = ['tsconfig.base.json', 'tsconfig.cjs.json']
  const inputs = latestChange('lib', 'package-lock.json', ...configs)
  if (existsSync(done) && statSync(done).mtimeMs > inputs) return
  const tsc = inRoot('node_modules/typescript/bin/tsc')
  runQuietly('compiling TypeScript', process.execPath, [tsc, '-p', 'tsconfig.cjs.json'])
  mkdirSync(inRoot('dist/esm'), { recursive: true })
  for (const name of ['index.js', 'index.d.ts']) {
    writeFileSync(inRoot('dist/esm', name), "export * from '../cjs/index.js'\n")
  }
  writeFileSync(done, '{ "type": "commonjs" }\n')
}

/** npm's own node-gyp: the one that fits the Node.js in use. */
function findNodeGyp() {
  const modules = join(dirname(dirname(process.execPath)), 'lib/node_modules')
  const places = [
    process.env.npm_config_node_gyp,
    join(modules, 'npm/node_modules/node-gyp/bin/node-gyp.js'),
  ]
  return places.find((place) => place && existsSync(place)) ?? fail('node-gyp not found beside npm')
}

/** Node's headers beside its program, when there: node-gyp need not download them then. */
function headers() {
  const prefix = dirname(dirname(process.execPath))
  if (process.env.npm_config_nodedir) return process.env.npm_config_nodedir
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : undefined
}

export function buildAddon() {
  checkSources()
  const nodedir = headers()
  const env = nodedir ? { npm_config_nodedir: nodedir } : {}
  const gyp = (what, ...args) => {
    runQuietly(what, process.execPath, [findNodeGyp(), ...args, '--loglevel=warn'], env)
  }
  // make knows which objects are stale, but not when the make files are.
  const inputs = ['binding.gyp', 'sources.json'].map((name) => readFileSync(inRoot(name), 'utf8'))
  const wanted = [process.version, nodedir, process.env.ZEROWIRE_WERROR, ...inputs].join('\n')
  const configured = inRoot('build/configured')
  if (!existsSync(configured) || readFileSync(configured, 'utf8') !== wanted) {
    gyp('configuring the native addon', 'configure')
    mkdirSync(dirname(configured), { recursive: true })
    writeFileSync(configured, wanted)
  }
  gyp('building the native addon', 'build', '--jobs', 'max')
}

/** Everything that `import 'zerowire'` needs. */
export function build() {
  setUp('build')
  buildTypeScript()
  buildAddon()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const parts = { ts: buildTypeScript, native: buildAddon }
  const [part] = process.argv.slice(2)
  if (part === undefined) build()
  else if (part in parts) parts[part]()
  else fail(`build: unknown part "${part}" (known: ts, native)`)
}
