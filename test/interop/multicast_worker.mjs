// One of our sockets in a process of its own, for a host of a private network; the same as
// multicast_worker.py. Usage: node multicast_worker.mjs publish|subscribe <json of task>.
//
// A publisher says hello until a line comes in on standard input, publishes numbered messages, says
// so, and repeats how many there were until standard input ends. A subscriber says "ready" when it
// has heard the hello of every topic it waits for, and reports when all of them have ended.
import { createInterface } from 'node:readline'
import * as zmq from '../../dist/esm/index.js'

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`)
const [mode, json] = process.argv.slice(2)
const task = JSON.parse(json)
const options = { linger: 0, rate: task.rate, recoveryInterval: task.recovery }

async function repeat(socket, message, done) {
  while (!done()) {
    await socket.send(message)
    await sleep(20)
  }
}

async function publish({ endpoint, topic, count, pace, sizes }) {
  const socket = new zmq.Publisher(options)
  await socket.bind(endpoint)
  let lines = 0
  let ended = false
  createInterface({ input: process.stdin })
    .on('line', () => lines++)
    .on('close', () => {
      ended = true
    })
  await repeat(socket, [topic, 'hello'], () => lines > 0)
  const start = Date.now()
  for (let k = 0; k < count; k++) {
    const ahead = start + (1000 * k) / pace - Date.now()
    if (ahead > 1) await sleep(ahead)
    await socket.send([topic, String(k), Buffer.alloc((37 * k) % sizes, k % 251)])
  }
  say('sent')
  await repeat(socket, [topic, 'end', String(count)], () => ended)
  process.exit(0)
}

async function subscribe({ endpoint, topics, patience, sizes }) {
  const socket = new zmq.Subscriber({ ...options, receiveTimeout: patience })
  const gaps = []
  socket.events.on('multicast:gap', ({ count, cause }) => gaps.push({ count, cause }))
  socket.connect(endpoint)
  socket.subscribe()
  const report = {}
  const waiting = new Set(topics)
  const unheard = new Set(topics)
  try {
    while (waiting.size > 0) {
      const [topic, kind, body, ...more] = await socket.receive()
      report[topic] ??= { received: 0, next: 0, missing: 0, wrong: 0 }
      const seen = report[topic]
      const number = Number(kind)
      if (String(kind) === 'hello') {
        if (unheard.delete(String(topic)) && unheard.size === 0) say('ready')
      } else if (String(kind) === 'end') {
        if (waiting.delete(String(topic))) seen.missing += Number(body) - seen.next
      } else {
        const good = body?.equals(Buffer.alloc((37 * number) % sizes, number % 251))
        if (!good || more.length > 0 || number < seen.next) seen.wrong++
        seen.missing += Math.max(0, number - seen.next)
        seen.next = number + 1
        seen.received++
      }
    }
  } catch (error) {
    report.error = error.code
  }
  await sleep(50) // events come after what they are about
  say({ topics: report, gaps, lost: socket.multicastLost })
  process.exit(0)
}

await (mode === 'publish' ? publish(task) : subscribe(task))
