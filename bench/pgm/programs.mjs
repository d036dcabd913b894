// The programs of bench/native/multicast.hpp, each in a host of a private network.
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const bin = process.env.ZEROWIRE_BENCH_BIN
const running = new Set()

/** Ends what is still running. */
export function endAll() {
  for (const program of running) program.kill()
}

/** A publisher or subscriber; `options` are those of the program. */
export class Program {
  #child
  #lines = []
  #waiting = []
  #ended

  constructor(host, peer, mode, options, env = {}) {
    const flags = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)])
    const command = [join(bin, `${peer}_multicast`), mode, ...flags]
    // OpenPGM, below libzmq, would write warnings to stdout.
    this.#child = host.spawn(command, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PGM_MIN_LOG_LEVEL: 'FATAL', ...env },
    })
    running.add(this)
    this.#child.stdin.on('error', () => {})
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#lines.push(line)
      this.#waiting.shift()?.()
    })
    this.#ended = once(this.#child, 'close').then(([code, signal]) => {
      running.delete(this)
      this.#lines.push(JSON.stringify({ error: `${peer} ${mode} ended with ${code ?? signal}` }))
      for (const waiting of this.#waiting) waiting()
    })
  }

  get pid() {
    return this.#child.pid
  }

  /** The next line; fails when it says that something went wrong, or nothing in time. */
  async hear(seconds) {
    const timer = setTimeout(() => this.kill(), seconds * 1e3)
    if (this.#lines.length === 0) await new Promise((resolve) => this.#waiting.push(resolve))
    clearTimeout(timer)
    const line = this.#lines.shift()
    const heard = line.startsWith('{') ? JSON.parse(line) : line
    if (heard.error) throw new Error(heard.error)
    return heard
  }

  tell() {
    this.#child.stdin.write('\n')
  }

  async end() {
    this.#child.stdin.end()
    const timer = setTimeout(() => this.kill(), 1000)
    await this.#ended
    clearTimeout(timer)
  }

  kill() {
    this.#child.kill('SIGKILL')
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Lets publishers speak to subscribers: all are there and have heard of each other before the first
 * message, and every subscriber has given its account before the publishers end. `during` runs once
 * they have begun.
 */
export async function converse(publishers, subscribers, during = () => {}) {
  // Who hears several publishers says so after the first; the others have said hello soon after.
  for (const subscriber of subscribers) await subscriber.hear(10)
  await sleep(300)
  for (const publisher of publishers) publisher.tell()
  await during()
  const [sent, received] = await Promise.all(
    [publishers, subscribers].map((list) => Promise.all(list.map((program) => program.hear(40)))),
  )
  await Promise.all(publishers.map((publisher) => publisher.end()))
  return { sent, received }
}
