#!/usr/bin/env node
// `npx zerowire-build`: compiles the addon of an installed package where no prebuilt one loads.
// node-gyp-build decides whether that is so and calls node-gyp, which npx has on the PATH.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const packed = join(root, 'native/binding.gyp')
const unpacked = join(root, 'binding.gyp')
const mustUnpack = existsSync(packed) && !existsSync(unpacked)

const program = createRequire(import.meta.url).resolve('node-gyp-build/bin.js')
if (mustUnpack) copyFileSync(packed, unpacked)
const { status } = spawnSync(process.execPath, [program], { cwd: root, stdio: 'inherit' })
if (mustUnpack) rmSync(unpacked)
process.exitCode = status ?? 1
