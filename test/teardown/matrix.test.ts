// Every way to end, in every state of a socket: the process ends as it should, and in time.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** How long sockets that have something to flush linger, and how much longer an end may take. */
const linger = 300
const grace = 1000

type Mode = 'answers' | 'silent' | 'stalls' | 'halves' | 'full'

/** The state of the socket, and the counterpart it needs. */
const states: Record<string, Mode | 'none'> = {
  new: 'none',
  bound: 'none',
  connecting: 'full',
  handshaking: 'silent',
  idle: 'answers',
  'receive pending': 'answers',
  'send blocked': 'stalls',
  'mid-multipart': 'halves',
  iterating: 'answers',
  lingering: 'stalls',
  'reconnect wait': 'none',
}

/** In these states an operation is under way, which keeps the process alive by design. */
const pending = new Set(['receive pending', 'send blocked', 'iterating'])

const endings: Record<string, number | NodeJS.Signals> = {
  'natural end': 0,
  close: 0,
  'double close': 0,
  'close in a callback': 0,
  'context close': 0,
  'garbage collection': 0,
  'process.exit': 3,
  'process.exit in a worker': 0,
  'worker.terminate': 0,
  'uncaught throw': 1,
  SIGTERM: 'SIGTERM',
  'peer kill -9': 0,
}

interface Counterpart {
  process: ChildProcess
  endpoint: string
}

const started: ChildProcess[] = []
afterAll(() => {
  for (const child of started) child.kill('SIGKILL')
})

async function start(mode: Mode): Promise<Counterpart> {
  const child = spawn(process.execPath, [file('counterpart.mjs'), mode], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  started.push(child)
  const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data')
  const endpoint = String(line).trim()
  if (mode === 'full') await fillBacklog(Number(endpoint.split(':').at(-1)))
  return { process: child, endpoint }
}

/** A backlog of 1 takes two connections; from then on the kernel ignores who knocks. */
async function fillBacklog(port: number): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const socket = connect(port, '127.0.0.1').unref()
    socket.on('error', () => {})
    await once(socket, 'connect')
  }
}

const shared = new Map<Mode, Promise<Counterpart>>()

function counterpart(mode: Mode | 'none', ownOne: boolean): Promise<Counterpart> | undefined {
  if (mode === 'none') return undefined
  if (ownOne) return start(mode)
  const known = shared.get(mode) ?? start(mode)
  shared.set(mode, known)
  return known
}

interface Outcome {
  ending: number | NodeJS.Signals | 'hung'
  stderr: string
}

async function run(state: string, action: string): Promise<Outcome> {
  const other = await counterpart(states[state] as Mode, action === 'peer kill -9')
  const task = {
    state,
    action,
    linger,
    pending: pending.has(state),
    endpoint: other?.endpoint ?? 'tcp://127.0.0.1:1',
    peer: other?.process.pid,
  }
  const args = ['--expose-gc', file('child.mjs'), JSON.stringify(task)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let hung = false
  let timer: NodeJS.Timeout | undefined
  const limit = linger + grace
  createInterface({ input: child.stdout }).on('line', () => {
    timer = setTimeout(() => {
      hung = true
      child.kill('SIGKILL')
    }, limit)
  })
  let stderr = ''
  child.stderr.on('data', (data) => {
    stderr += data
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  return { ending: hung ? 'hung' : (code ?? (signal as NodeJS.Signals)), stderr }
}

/** Combinations that mean nothing: no peer to kill, or an operation that rightly goes on. */
function applies(state: string, action: string): boolean {
  if (action === 'peer kill -9') return !['none', 'full'].includes(states[state] as string)
  return action !== 'natural end' || !pending.has(state)
}

describe.each(Object.keys(states))('a socket that is %s', (state) => {
  const actions = Object.keys(endings).filter((action) => applies(state, action))
  test.concurrent.each(actions)('%s', async (action) => {
    const { ending, stderr } = await run(state, action)
    expect({ ending, stderr: action === 'uncaught throw' ? '' : stderr }).toEqual({
      ending: endings[action],
      stderr: '',
    })
    if (action === 'uncaught throw') expect(stderr).toContain('thrown on purpose')
  })
})
