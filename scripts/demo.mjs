#!/usr/bin/env node
// Builds what is missing, then runs the demo with the same arguments.
import { build } from './build.mjs'
import { inRoot, tryRun } from './tools.mjs'

build()
const done = tryRun(process.execPath, [inRoot('demo/main.mjs'), ...process.argv.slice(2)])
process.exitCode = done ? 0 : 1
