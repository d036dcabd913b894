// Brings one socket into a state, then does one thing to it. Usage: node child.mjs <json of Task>.
// Prints "acting" right before the action; the parent judges how and when the process ends.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import * as zmq from '../../dist/esm/index.js'

const task = isMainThread ? JSON.parse(process.argv[2]) : workerData
const context = new zmq.Context()
const megabyte = Buffer.alloc(1 << 20, 'x')

// Operations cut short by the action reject, which is expected and not what is tested here.
const ignore = (promise) => promise.catch(() => {})

/** Waits for an event; listeners alone would not keep the process alive. */
async function event(socket, type) {
  const observer = new zmq.Observer(socket)
  for await (const next of observer) if (next.type === type) break
  observer.close()
}

async function connected(type, options = {}) {
  const socket = new zmq.Dealer({ context, linger: 0, ...options })
  const reached = type && event(socket, type)
  socket.connect(task.endpoint)
  await reached
  return socket
}

const states = {
  new: () => new zmq.Dealer({ context }),
  async bound() {
    const socket = new zmq.Dealer({ context })
    await socket.bind('tcp://127.0.0.1:*')
    return socket
  },
  connecting: () => connected(undefined),
  handshaking: () => connected('connect'),
  idle: () => connected('handshake'),
  async 'receive pending'() {
    const socket = await connected('handshake')
    ignore(socket.receive())
    return socket
  },
  async 'send blocked'() {
    const socket = await connected('handshake', { sendHighWaterMark: 1, linger: task.linger })
    // More than the mark and the buffers of the kernel hold together.
    for (let i = 0; i < 64; i++) ignore(socket.send(megabyte))
    return socket
  },
  'mid-multipart': () => connected('handshake'),
  async iterating() {
    const socket = await connected('handshake')
    const iterate = async () => {
      for await (const _ of socket);
    }
    ignore(iterate())
    return socket
  },
  async lingering() {
    const socket = await connected('handshake', { linger: task.linger })
    for (let i = 0; i < 16; i++) await socket.send(megabyte)
    socket.close()
    return socket
  },
  'reconnect wait': () => connected('connect:retry', { reconnectInterval: 60_000 }),
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

const actions = {
  'natural end': () => {},
  close: (socket) => socket.close(),
  'double close': (socket) => {
    socket.close()
    socket.close()
  },
  'close in a callback': async (socket) => {
    if (socket.closed) return
    const alive = setInterval(() => {}, 1000)
    socket.events.on('bind', () => {
      socket.close()
      clearInterval(alive)
    })
    ignore(socket.bind('tcp://127.0.0.1:*'))
  },
  'context close': () => context.close(),
  'garbage collection': async (_, forget) => {
    forget()
    for (let i = 0; i < 5; i++) {
      globalThis.gc()
      await turn()
    }
    // An operation under way keeps its socket and the process.
    if (task.pending) process.exit(0)
  },
  'process.exit': () => process.exit(3),
  'uncaught throw': () => {
    setImmediate(() => {
      throw new Error('thrown on purpose')
    })
  },
  SIGTERM: () => process.kill(process.pid, 'SIGTERM'),
  'peer kill -9': async (socket) => {
    // Every peer that had shaken hands is missed; a closed socket has nobody to tell.
    const gone = socket.closed || task.state === 'handshaking' || event(socket, 'disconnect')
    process.kill(task.peer, 'SIGKILL')
    if (task.state !== 'send blocked') await gone
    socket.close()
  },
}

async function run(action) {
  let socket = await states[task.state]()
  const acting = socket
  await action(acting, () => {
    socket = undefined
  })
}

const announce = () => process.stdout.write('acting\n')

function act(action) {
  return async (socket, forget) => {
    announce()
    await action(socket, forget)
  }
}

/** Runs the state in a worker, and ends the worker from inside or from outside. */
function inWorker() {
  const worker = new Worker(new URL(import.meta.url), { workerData: task })
  worker.on('error', (error) => {
    throw error
  })
  worker.on('message', () => {
    announce()
    if (task.action === 'worker.terminate') worker.terminate()
    else worker.postMessage('exit')
  })
  const expected = task.action === 'worker.terminate' ? 1 : 3
  worker.on('exit', (code) => {
    process.exitCode = code === expected ? 0 : 99
  })
}

if (!isMainThread) {
  let socket
  parentPort.on('message', () => process.exit(socket ? 3 : 98))
  socket = await states[task.state]()
  parentPort.postMessage('ready')
} else if (task.action.includes('worker')) {
  inWorker()
} else {
  await run(act(actions[task.action]))
}
