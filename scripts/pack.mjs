#!/usr/bin/env node
// Runs before npm packs (and with --undo after): binding.gyp travels in native/, because npm would
// take one in the package's root for an install script, which most package managers block.
import { copyFileSync, rmSync } from 'node:fs'
import { inRoot } from './tools.mjs'

const copy = inRoot('native/binding.gyp')
if (process.argv.includes('--undo')) rmSync(copy, { force: true })
else copyFileSync(inRoot('binding.gyp'), copy)
