// Runs commands that print one line of JSON, in turn.
import { spawn } from 'node:child_process'

const LIMIT = 60_000

/** Of a result: what medians are made of. */
const fields = ['rate', 'megabytesPerSecond', 'p50', 'p99', 'mean', 'nanoseconds', 'kibibytes']
fields.push('cpuPerMessage', 'idleCpuMs', 'idleWakeUps')
// Of multicast:
fields.push('delivered', 'lost', 'duplicates', 'disordered', 'mixed', 'recovered', 'ofCap', 'max')
fields.push('sendCpuPerGB', 'receiveCpuPerGB', 'sendCpuShare', 'repairs', 'naks', 'gaps', 'resume')

/** Runs one command in a process group of its own; resolves to its result or { error }. */
function runOnce({ command, env }) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        output[stream] += text
      })
    }
    const killGroup = () => {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch (error) {
        if (error.code !== 'ESRCH') throw error
      }
    }
    const timer = setTimeout(killGroup, LIMIT)
    child.on('error', (error) => resolve({ error: error.message }))
    child.on('exit', killGroup)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve(parse(output, code ?? signal))
    })
  })
}

function parse({ stdout, stderr }, code) {
  try {
    return JSON.parse(stdout.trim().split('\n').at(-1))
  } catch {
    return { error: `ended with ${code}: ${stderr.trim().split('\n').at(-1)}` }
  }
}

export function summary(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const odd = sorted.length % 2 === 1
  const median = odd ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, min: sorted[0], max: sorted.at(-1) }
}

/** Runs every entry of the row `times` times, interleaved: { name: { command, runs, errors } }. */
export async function runRow(row, times) {
  const measured = {}
  for (const [name, entry] of Object.entries(row.entries)) {
    measured[name] = { command: entry.command.join(' '), env: entry.env, runs: [], errors: [] }
  }
  for (let i = 0; i < times; i++) {
    for (const [name, entry] of Object.entries(row.entries)) {
      if (measured[name].errors.length > 0) continue
      const result = await runOnce(entry)
      if (result.error) measured[name].errors.push(result.error)
      else measured[name].runs.push(result)
    }
  }
  for (const entry of Object.values(measured)) {
    for (const field of fields) {
      const values = entry.runs.map((run) => run[field]).filter((value) => value !== undefined)
      if (values.length > 0) entry[field] = summary(values)
    }
  }
  return measured
}
