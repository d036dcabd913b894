#!/usr/bin/env node
// Removes everything that was built; dependencies stay.
import { rmSync } from 'node:fs'
import { inRoot } from './tools.mjs'

for (const path of ['build', 'dist', 'prebuilds', 'compile_commands.json', 'test/fuzz/findings']) {
  rmSync(inRoot(path), { recursive: true, force: true })
}
