// What the processes of the demo do. Usage (see actor.mjs): node roles.mjs <role> <json of task>.
// A role says where it listens, or that it is ready, then waits for its cue if it has one, and
// ends by saying what it has seen.
import * as zmq from '../dist/esm/index.js'
import { measureRoundTrips, measureThroughput, sinkOf } from './figures.mjs'
import { busyFor, primesBelow } from './work.mjs'

const say = (message) => process.send(message)
const cue = () => new Promise((resolve) => process.once('message', resolve))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const prices = { espresso: 2.2, tea: 3.1, croissant: 1.9 }

const roles = {
  /** Replies to orders until it has replied to all it was told to expect. */
  async counter({ orders }) {
    const socket = new zmq.Reply()
    await socket.bind('tcp://127.0.0.1:*')
    say(socket.lastEndpoint)
    for (let i = 0; i < orders; i++) {
      const [count, item] = (await socket.receive()).map(String)
      await socket.send([item, (Number(count) * prices[item]).toFixed(2)])
    }
    say(orders)
  },

  async guest({ endpoint, orders }) {
    const socket = new zmq.Request()
    socket.connect(endpoint)
    const bill = []
    for (const [count, item] of orders) {
      await socket.send([String(count), item])
      const [confirmed, price] = (await socket.receive()).map(String)
      bill.push({ count, item: confirmed, price })
    }
    say(bill)
  },

  /** Takes tasks from one socket and sends results to another, until it is told to stop. */
  async worker({ tasks, results, name }) {
    const source = new zmq.Pull({ receiveHighWaterMark: 1 })
    const sink = new zmq.Push()
    source.connect(tasks)
    sink.connect(results)
    say('ready')
    cue().then(() => source.close())
    let done = 0
    for await (const [limit] of source) {
      await sink.send([name, limit, String(primesBelow(Number(limit)))])
      done++
    }
    say(done)
  },

  /** Listens to the topics that begin with `prefix`, until the publisher says goodbye. */
  async listener({ endpoint, prefix }) {
    const socket = new zmq.Subscriber()
    socket.connect(endpoint)
    socket.subscribe(prefix, 'goodbye')
    const seen = []
    for await (const [topic, text] of socket) {
      if (String(topic) === 'goodbye') break
      seen.push(`${topic} ${text}`)
    }
    say(seen)
  },

  /**
   * Receives numbered messages, and once on the way keeps its JavaScript busy for a while, during
   * which not even a timer runs. Says how many arrived in each tenth of a second, and whether any
   * were missing or out of order.
   */
  async server({ senders, busyAfter, busy }) {
    const socket = new zmq.Pull({ receiveHighWaterMark: 10_000 })
    await socket.bind('tcp://127.0.0.1:*')
    say(socket.lastEndpoint)
    const { start } = await cue()
    const expected = new Array(senders).fill(0)
    const handled = []
    let wrong = 0
    let ended = 0
    setTimeout(() => busyFor(busy), start + busyAfter - Date.now())
    for await (const [from, number] of socket) {
      if (String(number) === 'end') {
        if (++ended === senders) break
        continue
      }
      if (Number(number) !== expected[Number(from)]++) wrong++
      count(handled, start)
    }
    say({ handled, wrong, received: expected })
  },

  /** Sends a numbered message about every millisecond. Says how many in each tenth of a second. */
  async sender({ endpoint, index }) {
    const socket = new zmq.Push()
    socket.connect(endpoint)
    say('ready')
    const { start, duration } = await cue()
    await sleep(start - Date.now())
    const sent = []
    let total = 0
    let slowest = 0
    while (Date.now() < start + duration) {
      const before = performance.now()
      await socket.send([String(index), String(total++)])
      slowest = Math.max(slowest, performance.now() - before)
      count(sent, start)
      await sleep(1)
    }
    await socket.send([String(index), 'end'])
    say({ sent, total, slowest })
  },

  /** As the sender, but calls a method of an XML-RPC server and waits for the answer. */
  async caller() {
    say('ready')
    const { start, duration, url } = await cue()
    await sleep(start - Date.now())
    const body = '<methodCall><methodName>add</methodName></methodCall>'
    const answered = []
    let slowest = 0
    while (Date.now() < start + duration) {
      const before = performance.now()
      const response = await fetch(url, { method: 'POST', body })
      await response.text()
      slowest = Math.max(slowest, performance.now() - before)
      count(answered, start)
      await sleep(1)
    }
    say({ answered, slowest })
  },

  async echo() {
    const socket = new zmq.Reply()
    await socket.bind('tcp://127.0.0.1:*')
    say(socket.lastEndpoint)
    cue().then(() => socket.close())
    for await (const message of socket) await socket.send(message)
    say('done')
  },

  async stopwatch({ endpoint, trips }) {
    const socket = new zmq.Request()
    socket.connect(endpoint)
    say(await measureRoundTrips(socket, trips))
  },

  async source({ endpoint, size, duration }) {
    const socket = new zmq.Push()
    socket.connect(endpoint)
    say(await measureThroughput(socket, size, duration))
  },

  async drain() {
    const socket = new zmq.Pull()
    await socket.bind('tcp://127.0.0.1:*')
    say(socket.lastEndpoint)
    say(await sinkOf(socket))
  },
}

/** Adds one to the count of the present tenth of a second. */
function count(counts, start) {
  const tenth = Math.max(0, Math.floor((Date.now() - start) / 100))
  while (counts.length <= tenth) counts.push(0)
  counts[tenth]++
}

const [role, task] = process.argv.slice(2)
await roles[role](JSON.parse(task))
