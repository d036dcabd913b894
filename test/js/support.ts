// What the suites share: endpoints, sockets that are closed after the test, child processes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'
import type { Socket } from '../../lib/index.js'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export type Transport = 'inproc' | 'ipc' | 'tcp'
export const transports: Transport[] = ['inproc', 'ipc', 'tcp']

const open = new Set<Socket>()
let endpoints = 0

afterEach(() => {
  for (const socket of open) {
    if (socket.closed) continue
    try {
      socket.linger = 0
    } catch {
      // It has been given to a proxy.
    }
    socket.close()
  }
  open.clear()
})

/** Has the sockets closed at the end of the test. */
export function own<S extends Socket[]>(...sockets: S): S {
  for (const socket of sockets) open.add(socket)
  return sockets
}

/** An endpoint nobody else uses; to be bound, what bind returns is to be connected to. */
export function endpoint(transport: Transport = 'inproc'): string {
  endpoints += 1
  const name = `zerowire-${process.pid}-${endpoints}`
  if (transport === 'tcp') return 'tcp://127.0.0.1:*'
  return transport === 'ipc' ? `ipc://${join(tmpdir(), name)}.sock` : `inproc://${name}`
}

/** Binds one and connects the other. */
export async function link(bound: Socket, other: Socket, transport?: Transport): Promise<string> {
  const address = await bound.bind(endpoint(transport))
  other.connect(address)
  return address
}

/** Waits for a condition that nothing announces. */
export async function until(condition: () => unknown | Promise<unknown>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${condition}`)
    await delay(2)
  }
}

/** The parts of a message, or of messages, as strings. */
export function texts(parts: Buffer[]): string[] {
  return parts.map(String)
}

/** How a process ends by itself that has nothing to complain about. */
export const ended = { code: 0, signal: null, stderr: '' }

export interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Runs a module in a process of its own; it can import the built package as 'zerowire'. */
export function start(source: string, ...flags: string[]): ChildProcess {
  const args = [...flags, '--input-type=module', '--eval', source]
  return spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'pipe', 'ipc'] })
}

/** Runs a module to its end; one that has not ended after 20 s is killed. */
export async function run(source: string, ...flags: string[]): Promise<Outcome> {
  return outcome(start(source, ...flags))
}

export async function outcome(child: ChildProcess): Promise<Outcome> {
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (text) => {
    output.stdout += text
  })
  child.stderr?.on('data', (text) => {
    output.stderr += text
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  return { code, signal, ...output }
}
