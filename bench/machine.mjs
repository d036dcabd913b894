// What the results depend on: machine, kernel settings, versions.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

function attempt(read) {
  try {
    return read().trim()
  } catch {
    return 'unknown'
  }
}

export function machine() {
  const congestion = '/proc/sys/net/ipv4/tcp_congestion_control'
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    congestion: attempt(() => readFileSync(congestion, 'utf8')),
    node: process.version,
    commit: attempt(() => execFileSync('git', ['rev-parse', '--short', 'HEAD'], options)),
  }
}

/** Prefix that pins a command and what it starts to one core; null where that is not possible. */
export function onOneCore() {
  const core = String(cpus().length - 1)
  try {
    execFileSync('taskset', ['-c', core, 'true'], { stdio: 'ignore' })
    return ['taskset', '-c', core]
  } catch {
    return null
  }
}
