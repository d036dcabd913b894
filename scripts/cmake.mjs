// The C++ builds of tests, fuzzers and benchmarks: presets of CMakePresets.json.
import { existsSync, rmSync, symlinkSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { checkSources } from './sources.mjs'
import { inRoot, onPath, runQuietly } from './tools.mjs'

const jobs = String(availableParallelism())

/** The environment of sanitized programs: addr2line comes with every compiler. */
export const sanitizerOptions = {
  ASAN_OPTIONS: 'detect_stack_use_after_return=1:external_symbolizer_path=/usr/bin/addr2line',
  UBSAN_OPTIONS: 'print_stacktrace=1:external_symbolizer_path=/usr/bin/addr2line',
  TSAN_OPTIONS: 'second_deadlock_stack=1:external_symbolizer_path=/usr/bin/addr2line',
}

const buildFolder = (preset) => `build/native-${preset}`

/** Builds the targets of a preset ("plain", "asan", "tsan") and returns its folder. */
export function buildNative(preset, ...targets) {
  checkSources()
  const folder = buildFolder(preset)
  const isNew = !existsSync(inRoot(folder, 'CMakeCache.txt'))
  const env = isNew && onPath('ninja') ? { CMAKE_GENERATOR: 'Ninja' } : {}
  const werror = `-DZEROWIRE_WERROR=${process.env.ZEROWIRE_WERROR ? 'ON' : 'OFF'}`
  runQuietly(`configuring ${folder}`, 'cmake', ['--preset', preset, werror], env)
  const args = ['--build', folder, '--parallel', jobs, '--target', ...targets]
  runQuietly(`building ${folder}: ${targets.join(', ')}`, 'cmake', args)
  if (preset === 'plain') linkCompileCommands(folder)
  return folder
}

/** Editors look for compile_commands.json in the root. */
function linkCompileCommands(folder) {
  rmSync(inRoot('compile_commands.json'), { force: true })
  symlinkSync(`${folder}/compile_commands.json`, inRoot('compile_commands.json'))
}
