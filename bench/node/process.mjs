// What the two processes of a Node benchmark need: arguments, the far process, clocks, results.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** `workload --key value ...`; numbers become numbers. */
export function parseArguments(argv) {
  const [workload, ...rest] = argv
  const options = {
    peer: 'zerowire',
    transport: 'tcp',
    size: 64,
    count: 1,
    warmUp: 0.9,
    seconds: 0.5,
    deadline: 30,
    send: 'single',
    receive: 'for-await',
    role: 'near',
  }
  for (let i = 0; i + 1 < rest.length; i += 2) {
    const key = rest[i].replace(/^--/, '').replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
    if (!(key in options)) throw new Error(`unknown option ${rest[i]}`)
    options[key] = typeof options[key] === 'number' ? Number(rest[i + 1]) : rest[i + 1]
  }
  return { workload, options }
}

/** Where the far side of this run listens. */
export function bindAddress(options) {
  if (options.transport === 'tcp') return 'tcp://127.0.0.1:*'
  if (options.transport === 'ipc') return `ipc:///tmp/zerowire-bench-${process.pid}`
  throw new Error('--transport must be tcp or ipc')
}

/**
 * Starts the far process, `program` with the same arguments, and waits until it listens. `ended` rejects when
 * the process is gone.
 */
export async function startFar(program, argv) {
  const child = spawn(process.execPath, [program, ...argv, '--role', 'far'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the far side ended with ${code ?? signal}`)
  })
  const lines = createInterface({ input: child.stdout })
  const [endpoint] = await Promise.race([once(lines, 'line'), ended])
  return { endpoint, pid: child.pid, ended, stop: () => child.kill('SIGKILL') }
}

/** In the far process: says where it listens, and ends with the near process. */
export function reportEndpoint(endpoint) {
  process.stdin.on('end', () => process.exit(0)).resume()
  process.stdout.write(`${endpoint}\n`)
}

/** CPU seconds of another process' threads so far. */
function cpuOf(pid) {
  let total = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const text = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1')
    total += Number(text.split(' ')[0])
  }
  return total / 1e9
}

function cpuHere() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/**
 * Counts operations from the end of the warm-up until the run's time is over. The clock is looked
 * at after every `options.stride` operations.
 */
export class Window {
  #far
  #warmUp
  #end = 0
  #duration
  #stride
  #sinceLook = 0
  #opened = 0
  #cpu = [0, 0]
  count = 0

  constructor(far, options) {
    this.#far = far
    this.#warmUp = performance.now() + options.warmUp * 1e3
    this.#duration = options.seconds * 1e3
    this.#stride = options.stride ?? (options.size <= 4096 ? 64 : 1)
  }

  get isOpen() {
    return this.#opened > 0
  }

  /** Counts; true when the run is over. */
  add(operations) {
    this.count += operations
    this.#sinceLook += operations
    return this.#sinceLook >= this.#stride ? this.look(performance.now()) : false
  }

  look(now) {
    this.#sinceLook = 0
    if (this.#opened > 0) return now >= this.#end
    if (now >= this.#warmUp) {
      this.#cpu = [cpuHere(), cpuOf(this.#far.pid)]
      this.#opened = performance.now()
      this.#end = this.#opened + this.#duration
      this.count = 0
    }
    return false
  }

  result(size) {
    const seconds = (performance.now() - this.#opened) / 1e3
    const near = cpuHere() - this.#cpu[0]
    const far = cpuOf(this.#far.pid) - this.#cpu[1]
    return {
      messages: this.count,
      seconds,
      rate: this.count / seconds,
      megabytesPerSecond: (this.count * size) / seconds / 1e6,
      cpuNear: near,
      cpuFar: far,
      cpuPerMessage: ((near + far) / this.count) * 1e6,
    }
  }
}

/** p50, p99 and mean in microseconds of samples in milliseconds. */
export function latency(samples) {
  samples.sort((a, b) => a - b)
  const at = (share) => samples[Math.floor(samples.length * share)] * 1e3
  const mean = (samples.reduce((sum, sample) => sum + sample, 0) / samples.length) * 1e3
  return { p50: at(0.5), p99: at(0.99), mean }
}
