// The processes of the demo. Usage: node roles.mjs <role> <json of task>; they speak with the
// director over Node's own channel for child processes.
import * as zmq from '../../dist/esm/index.js'

const say = (message) => process.send(message)
const cue = () => new Promise((resolve) => process.once('message', resolve))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
/** Milliseconds on a clock that all processes of the machine share. */
const now = () => Number(process.hrtime.bigint()) / 1e6

/** Room for bursts: 100 Mbit/s, of which one second is kept for repair. */
const options = { rate: 100_000, recoveryInterval: 1000, linger: 0 }

/** Repeats one message until it is given its cue. */
async function repeat(socket, message) {
  let told = false
  cue().then(() => {
    told = true
  })
  while (!told) {
    await socket.send(message)
    await sleep(20)
  }
}

const roles = {
  /** Says hello, then publishes `perTick` messages each `tick` ms, then says how many there were. */
  async publisher({ endpoint, size, tick, perTick, duration }) {
    const socket = new zmq.Publisher(options)
    await socket.bind(endpoint)
    say('ready')
    await repeat(socket, 'hello')
    const start = now()
    let sent = 0
    for (let due = start; due < start + duration; due += tick) {
      await sleep(Math.max(0, due - now()))
      for (let i = 0; i < perTick; i++, sent++) {
        const message = Buffer.alloc(size)
        message.writeUInt32LE(sent, 0)
        message.writeDoubleLE(now(), 8)
        await socket.send(['data', message])
      }
    }
    say({ sent, start })
    await repeat(socket, ['end', String(sent)])
    socket.close()
  },

  /** Receives to the end; `slots` are the longest delays of `slot` ms each. */
  async subscriber({ endpoint, slot }) {
    const socket = new zmq.Subscriber(options)
    const gaps = []
    socket.events.on('multicast:gap', ({ first, count, cause }) =>
      gaps.push({ first, count, cause }),
    )
    socket.connect(endpoint)
    socket.subscribe()
    await socket.receive()
    say('joined')
    const delays = []
    const slots = []
    let wrong = 0
    let start
    for await (const [kind, message] of socket) {
      if (String(kind) === 'end') break
      if (String(kind) !== 'data') continue
      if (message.readUInt32LE(0) !== delays.length) wrong++
      const arrived = now()
      const delay = arrived - message.readDoubleLE(8)
      start ??= arrived
      const index = Math.floor((arrived - start) / slot)
      slots[index] = Math.max(slots[index] ?? 0, delay)
      delays.push(delay)
    }
    const lost = socket.multicastLost
    socket.close()
    say({ delays, slots: Array.from(slots, (value) => value ?? 0), wrong, gaps, lost })
  },
}

const [role, task] = process.argv.slice(2)
await roles[role](JSON.parse(task))
process.disconnect()
