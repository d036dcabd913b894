#!/usr/bin/env node
// Runs each fuzzer for a minute. Usage: npm run fuzz -- [--seconds N] [name ...]
// Inputs that reach new code are kept in build/fuzz, failing ones in test/fuzz/findings.
import { existsSync, mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { sanitizerOptions } from './cmake.mjs'
import { fuzzers } from './fuzzers.mjs'
import { setUp } from './setup.mjs'
import { fail, inRoot, tryRun } from './tools.mjs'

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '60' } },
  allowPositionals: true,
})
const seconds = Number(values.seconds)
if (!(seconds > 0)) fail(`fuzz: --seconds must be a positive number, not "${values.seconds}"`)

setUp('build', 'sanitize')
const all = fuzzers()
const unknown = positionals.find((name) => !all.some((fuzzer) => fuzzer.name === name))
if (unknown) fail(`fuzz: no fuzzer "${unknown}" (known: ${all.map(({ name }) => name).join(', ')})`)

const findings = 'test/fuzz/findings/'
mkdirSync(inRoot(findings), { recursive: true })
const failed = []
for (const { name, program, corpus } of all) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  console.log(`\n== ${name}`)
  const grown = `build/fuzz/${name}`
  mkdirSync(inRoot(grown), { recursive: true })
  const folders = existsSync(inRoot(corpus)) ? [grown, corpus] : [grown]
  const limits = [`-max_total_time=${seconds}`, '-timeout=10', '-rss_limit_mb=2048']
  const args = [...limits, '-print_final_stats=1', `-artifact_prefix=${findings}${name}-`]
  if (!tryRun(program, [...args, ...folders], sanitizerOptions)) failed.push(name)
}
if (failed.length > 0) fail(`fuzz: ${failed.join(', ')} failed; the inputs are in ${findings}`)
