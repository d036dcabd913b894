#!/usr/bin/env node
// Checks style: the list of sources, biome for TypeScript and JSON, clang-format for C++.
// With --fix it brings everything into shape instead.
import { existsSync, readdirSync } from 'node:fs'
import { setUp } from './setup.mjs'
import { fail, inRoot, tryRun } from './tools.mjs'

const fix = process.argv.includes('--fix')
const folders = ['native', 'test/native', 'test/fuzz', 'test/interop', 'bench']

function nativeFiles(folder) {
  if (!existsSync(inRoot(folder))) return []
  const names = readdirSync(inRoot(folder), { recursive: true })
  return names.filter((name) => /\.([ch]|[ch]pp)$/.test(name)).map((name) => `${folder}/${name}`)
}

setUp('lint')
const checks = [
  [process.execPath, 'scripts/sources.mjs', ...(fix ? [] : ['--check'])],
  ['node_modules/.bin/biome', 'check', ...(fix ? ['--write'] : ['--error-on-warnings'])],
  [
    'clang-format-19',
    ...(fix ? ['-i'] : ['--dry-run', '-Werror']),
    ...folders.flatMap(nativeFiles),
  ],
]
const failed = checks.filter(([program, ...args]) => !tryRun(program, args))
if (failed.length > 0) fail('lint: not clean (npm run format mends formatting)')
console.log('lint: clean')
