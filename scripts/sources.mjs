#!/usr/bin/env node
// Writes sources.json, the list of C++ sources that binding.gyp and CMakeLists.txt share, from the
// folders. With --check it changes nothing and fails when the list is stale.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fail, inRoot } from './tools.mjs'

function sourcesIn(folder, recursive) {
  const names = readdirSync(inRoot(folder), { recursive })
  return names
    .filter((name) => name.endsWith('.cpp'))
    .map((name) => `${folder}/${name}`)
    .sort()
}

function fresh() {
  const lists = { core: sourcesIn('native/core', true), addon: sourcesIn('native/addon', false) }
  return `${JSON.stringify(lists, null, 2)}\n`
}

/** Ends the script when sources.json does not list the sources that are there. */
export function checkSources() {
  if (readFileSync(inRoot('sources.json'), 'utf8') === fresh()) return
  fail('sources.json is stale; bring it up to date with: npm run sources')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) checkSources()
  else writeFileSync(inRoot('sources.json'), fresh())
}
