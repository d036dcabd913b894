// Drives a real peer (libzmq from C, pyzmq, zeromq.js) in a child process.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const kinds = ['libzmq', 'pyzmq', 'zeromq.js'] as const
export type Kind = (typeof kinds)[number]
export type PeerType =
  | 'PAIR'
  | 'PUB'
  | 'SUB'
  | 'REQ'
  | 'REP'
  | 'DEALER'
  | 'ROUTER'
  | 'PULL'
  | 'PUSH'
  | 'XPUB'
  | 'XSUB'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** The first python3 that can import zmq; version managers often put another one first. */
function pythonWithZmq(): string {
  for (const python of ['/usr/bin/python3', 'python3']) {
    try {
      execFileSync(python, ['-c', 'import zmq'], { stdio: 'ignore' })
      return python
    } catch {}
  }
  throw new Error('no python3 with pyzmq: apt-get install python3-zmq')
}

/** Compiles peer.c unless that has been done; several test files may do so at once. */
function compiledPeer(): string {
  const folder = here('../../build/interop')
  const program = `${folder}/peer`
  const source = here('peer.c')
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return program
  mkdirSync(folder, { recursive: true })
  const scratch = `${program}.${process.pid}`
  try {
    execFileSync('cc', ['-O2', '-Wall', '-o', scratch, source, '-lzmq'], { stdio: 'inherit' })
  } catch (cause) {
    throw new Error('cannot compile the libzmq peer: apt-get install libzmq3-dev', { cause })
  }
  renameSync(scratch, program)
  return program
}

function command(kind: Kind): [string, string[]] {
  if (kind === 'libzmq') return [compiledPeer(), []]
  if (kind === 'pyzmq') return [pythonWithZmq(), [here('peer.py')]]
  return [process.execPath, [here('peer.mjs')]]
}

/** A failure the peer reported, with the peer's error name as `code`. */
export class PeerError extends Error {
  constructor(readonly code: string) {
    super(`peer: ${code}`)
  }
}

interface Waiting {
  resolve(words: string[]): void
  reject(error: Error): void
}

/** One peer process. Commands are carried out in order; each answer settles one call. */
export class Peer {
  readonly #child: ChildProcess
  readonly #waiting: Waiting[] = []
  readonly #exited: Promise<void>
  #sockets = 0

  private constructor(kind: Kind) {
    const [program, args] = command(kind)
    // OpenPGM, below libzmq, would write warnings to stdout.
    const env = { ...process.env, PGM_MIN_LOG_LEVEL: 'FATAL' }
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env })
    this.#child.stdin?.on('error', () => {})
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const [status, ...words] = JSON.parse(line) as string[]
      const call = this.#waiting.shift()
      if (status === 'ok') call?.resolve(words)
      else call?.reject(new PeerError(words[0] ?? ''))
    })
    this.#exited = new Promise((resolve) => {
      this.#child.on('exit', (code, signal) => {
        for (const call of this.#waiting) call.reject(new PeerError(`exit ${code ?? signal}`))
        resolve()
      })
    })
  }

  static async start(kind: Kind): Promise<Peer> {
    const peer = new Peer(kind)
    await new Promise<string[]>((resolve, reject) => peer.#waiting.push({ resolve, reject }))
    return peer
  }

  call(...words: string[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin?.write(`${JSON.stringify(words)}\n`)
    })
  }

  async open(type: PeerType, options: Record<string, string | number> = {}): Promise<PeerSocket> {
    const name = `s${this.#sockets++}`
    await this.call('open', name, type, ...Object.entries(options).flat().map(String))
    return new PeerSocket(this, name)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** kill -9, and waits until the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end()
    await this.#exited
  }
}

/** A socket in the peer process. Parts are specs (see parts.ts). */
export class PeerSocket {
  constructor(
    private readonly peer: Peer,
    private readonly name: string,
  ) {}

  /** Returns the endpoint with wildcards resolved. */
  async bind(endpoint: string): Promise<string> {
    const [bound] = await this.peer.call('bind', this.name, endpoint)
    return bound as string
  }

  connect(endpoint: string) {
    return this.peer.call('connect', this.name, endpoint)
  }

  disconnect(endpoint: string) {
    return this.peer.call('disconnect', this.name, endpoint)
  }

  subscribe(spec: string) {
    return this.peer.call('subscribe', this.name, spec)
  }

  unsubscribe(spec: string) {
    return this.peer.call('unsubscribe', this.name, spec)
  }

  send(parts: readonly string[]) {
    return this.peer.call('send', this.name, ...parts)
  }

  /** Fails with PeerError EAGAIN when nothing arrives in time. */
  receive(timeout = 10_000): Promise<string[]> {
    return this.peer.call('receive', this.name, String(timeout))
  }

  close() {
    return this.peer.call('close', this.name)
  }
}
