// The fuzzers of test/fuzz, built.
import { readdirSync } from 'node:fs'
import { buildNative } from './cmake.mjs'
import { inRoot } from './tools.mjs'

const folder = 'test/fuzz'

/** Builds all fuzzers; returns name, program and corpus folder (paths from the root) of each. */
export function fuzzers() {
  const build = buildNative('asan', 'fuzzers')
  const files = readdirSync(inRoot(folder)).filter((name) => name.endsWith('_fuzzer.cpp'))
  return files.sort().map((file) => {
    const name = file.replace(/\.cpp$/, '')
    const corpus = `${folder}/corpus/${name.replace(/_fuzzer$/, '')}`
    return { name, program: `${build}/${folder}/${name}`, corpus }
  })
}
