// What the scripts share: the project's root and running other programs. No dependencies, because
// the scripts run before anything is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const inRoot = (...parts) => join(root, ...parts)
export const readJson = (path) => JSON.parse(readFileSync(inRoot(path), 'utf8'))

/** Ends the script with a message that a person can act on. */
export function fail(message) {
  console.error(`\nzerowire: ${message}`)
  process.exit(1)
}

/** Runs a program in the project's root with our own terminal; returns whether it succeeded. */
export function tryRun(program, args = [], env = {}) {
  const options = { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }
  const { status, error } = spawnSync(program, args, options)
  if (error) console.error(`zerowire: ${program}: ${error.message}`)
  return status === 0
}

/** Like `tryRun`, but ends the script when the program fails. */
export function run(program, args = [], env = {}) {
  if (!tryRun(program, args, env)) fail(`failed: ${[program, ...args].join(' ')}`)
}

/**
 * Runs a program whose output matters when it fails or warns only. `what` is shown meanwhile, with
 * the seconds it took.
 */
export function runQuietly(what, program, args = [], env = {}) {
  const started = Date.now()
  process.stdout.write(`${what} ... `)
  const options = {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...env },
  }
  const { status, error, stdout, stderr } = spawnSync(program, args, options)
  console.log(status === 0 ? `${((Date.now() - started) / 1000).toFixed(1)} s` : 'failed')
  const output = `${stdout ?? ''}${stderr ?? ''}`
  if (status !== 0 || /\bwarning:/.test(output)) console.error(error?.message ?? output)
  if (status !== 0) fail(`failed: ${[program, ...args].join(' ')}`)
}

/** Whether a program of this name is on the PATH. */
export function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, program)))
}
