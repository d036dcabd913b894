#!/usr/bin/env node
// Builds and runs the tests. Usage: npm test -- [native|sanitizers|fuzz|js|runtimes ...] (default: all)
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { build } from './build.mjs'
import { buildNative, sanitizerOptions } from './cmake.mjs'
import { fuzzers } from './fuzzers.mjs'
import { setUp } from './setup.mjs'
import { fail, inRoot, readJson, tryRun } from './tools.mjs'

/** Counts that a runner wrote as JUnit XML, by suite. */
function countJUnit(path) {
  const xml = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const suites = xml.match(/<testsuite\b[^>]*>/g) ?? []
  const number = (name) =>
    suites.reduce((before, suite) => {
      return before + Number(suite.match(new RegExp(`\\b${name}="(\\d+)"`))?.[1] ?? 0)
    }, 0)
  const failed = number('failures') + number('errors')
  const skipped = number('skipped') + number('disabled')
  return { passed: number('tests') - failed - skipped, failed, skipped }
}

/** The counts, with one failure at least when the runner says that it failed. */
function outcome(succeeded, counts) {
  return { ...counts, failed: succeeded ? counts.failed : Math.max(1, counts.failed) }
}

function ctest(preset) {
  const folder = buildNative(preset, 'zerowire_tests', ...(preset === 'plain' ? ['bench'] : []))
  const junit = inRoot(folder, 'junit.xml')
  const args = ['--test-dir', folder, '--output-on-failure', '--no-tests=error']
  args.push('--parallel', String(availableParallelism()), '--output-junit', junit)
  return outcome(tryRun('ctest', args, sanitizerOptions), countJUnit(junit))
}

/** Runs every fuzzer once over its corpus: what was found once stays found. */
function replayCorpora() {
  const results = fuzzers().map(({ name, program, corpus }) => {
    if (!existsSync(inRoot(corpus))) return { passed: 0, failed: 0, skipped: 1 }
    console.log(`${name}: replaying ${readdirSync(inRoot(corpus)).length} inputs`)
    const replayed = tryRun(program, ['-runs=0', corpus], sanitizerOptions)
    return outcome(replayed, { passed: 1, failed: 0, skipped: 0 })
  })
  return sum(results)
}

function vitest(node, ...filter) {
  const junit = inRoot('build/vitest.xml')
  rmSync(junit, { force: true })
  const args = ['run', '--reporter=default', '--reporter=junit', `--outputFile.junit=${junit}`]
  const program = inRoot('node_modules/vitest/vitest.mjs')
  return outcome(tryRun(node, [program, ...args, ...filter]), countJUnit(junit))
}

/** The tests of the API, with the other versions of Node.js that there are for this processor. */
function otherRuntimes() {
  const names = Object.keys(readJson('test/runtimes/package.json').optionalDependencies)
  const mine = names.filter((name) => name.endsWith(`-${process.arch}`))
  const results = mine.map((name) => {
    console.log(`\n-- ${name}`)
    return vitest(inRoot('test/runtimes/node_modules', name, 'bin/node'), 'test/js')
  })
  return sum(results)
}

function sum(results) {
  const total = (count) => results.reduce((before, each) => before + each[count], 0)
  return { passed: total('passed'), failed: total('failed'), skipped: total('skipped') }
}

/** Each part: what it needs installed, and a function that returns the counts. */
const parts = {
  native: { purposes: ['build', 'test'], run: () => ctest('plain') },
  sanitizers: { purposes: ['build', 'sanitize'], run: () => sum([ctest('asan'), ctest('tsan')]) },
  fuzz: { purposes: ['build', 'sanitize'], run: replayCorpora },
  js: {
    purposes: ['build', 'test', 'network'],
    run: () => {
      build()
      return vitest(process.execPath)
    },
  },
  runtimes: {
    purposes: ['build', 'test', 'runtimes'],
    run: () => {
      build()
      return otherRuntimes()
    },
  },
}

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts)
const unknown = chosen.find((name) => !(name in parts))
if (unknown) fail(`test: unknown part "${unknown}" (known: ${Object.keys(parts).join(', ')})`)

mkdirSync(inRoot('build'), { recursive: true })
setUp(...chosen.flatMap((name) => parts[name].purposes))
const results = chosen.map((name) => {
  console.log(`\n== ${name}`)
  return { name, ...parts[name].run() }
})

console.log('')
for (const { name, passed, failed, skipped } of results) {
  const rest = skipped > 0 ? `, ${skipped} more skipped` : ''
  console.log(
    `${name.padEnd(10)} ${failed === 0 ? 'passed' : 'FAILED'} (${passed + failed}${rest})`,
  )
}
const { passed, failed } = sum(results)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
