#!/usr/bin/env node
// Builds what is missing, then runs the demo with the same arguments; "multicast" as the first one
// chooses the demo of multicast, which installs what private networks need.
import { build } from './build.mjs'
import { setUp } from './setup.mjs'
import { inRoot, tryRun } from './tools.mjs'

const args = process.argv.slice(2)
const multicast = args[0] === 'multicast'
if (multicast) setUp('build', 'network')
build()
const program = multicast ? 'demo/multicast/main.mjs' : 'demo/main.mjs'
const done = tryRun(process.execPath, [inRoot(program), ...args.slice(multicast ? 1 : 0)])
process.exitCode = done ? 0 : 1
