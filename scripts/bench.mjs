#!/usr/bin/env node
// Builds the library and the native benchmark programs, then hands over to bench/main.mjs with
// the same arguments and ZEROWIRE_BENCH_BIN, the folder of the programs.
import { build } from './build.mjs'
import { buildNative } from './cmake.mjs'
import { setUp } from './setup.mjs'
import { inRoot, tryRun } from './tools.mjs'

const gate = process.argv[2] === 'gate'
const multicast = process.argv.includes('pgm')
setUp('build', 'test', ...(gate ? [] : ['bench']), ...(multicast ? ['network'] : []))
build()
const programs = inRoot(buildNative('plain', 'bench'), 'bench/native')
const args = [inRoot('bench/main.mjs'), ...process.argv.slice(2)]
const done = tryRun(process.execPath, args, { ZEROWIRE_BENCH_BIN: programs })
process.exitCode = done ? 0 : 1
