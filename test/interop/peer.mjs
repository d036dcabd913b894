// A zeromq.js peer driven over stdio; commands and answers as described in peer.c.
import { createInterface } from 'node:readline'
import * as zmq from 'zeromq'

const hexLimit = 256
const modulus = 251
const classes = {
  PAIR: zmq.Pair,
  PUB: zmq.Publisher,
  SUB: zmq.Subscriber,
  REQ: zmq.Request,
  REP: zmq.Reply,
  DEALER: zmq.Dealer,
  ROUTER: zmq.Router,
  PULL: zmq.Pull,
  PUSH: zmq.Push,
  XPUB: zmq.XPublisher,
  XSUB: zmq.XSubscriber,
}
const flags = new Set(['probeRouter', 'mandatory', 'correlate'])
const sockets = new Map()

function pattern(size, seed) {
  const period = Buffer.from(Array.from({ length: modulus }, (_, i) => (seed + i) % modulus))
  return Buffer.alloc(size, period)
}

function toBytes(spec) {
  const match = /^@(\d+):(\d+)$/.exec(spec)
  return match ? pattern(Number(match[1]), Number(match[2])) : Buffer.from(spec, 'hex')
}

function toSpec(data) {
  if (data.length < hexLimit) return data.toString('hex')
  return data.equals(pattern(data.length, data[0])) ? `@${data.length}:${data[0]}` : 'corrupt'
}

function optionValue(name, value) {
  if (name === 'routingId') return value
  return flags.has(name) ? value === '1' : Number(value)
}

const commands = {
  open(name, type, ...options) {
    const socket = new classes[type]({ linger: 0 })
    if ('sendTimeout' in socket) socket.sendTimeout = 10000
    for (let i = 0; i < options.length; i += 2) {
      socket[options[i]] = optionValue(options[i], options[i + 1])
    }
    sockets.set(name, socket)
  },
  async bind(name, endpoint) {
    await sockets.get(name).bind(endpoint)
    return [sockets.get(name).lastEndpoint]
  },
  connect: (name, endpoint) => sockets.get(name).connect(endpoint),
  disconnect: (name, endpoint) => sockets.get(name).disconnect(endpoint),
  subscribe: (name, topic) => sockets.get(name).subscribe(Buffer.from(topic, 'hex')),
  unsubscribe: (name, topic) => sockets.get(name).unsubscribe(Buffer.from(topic, 'hex')),
  send: (name, ...parts) => sockets.get(name).send(parts.map(toBytes)),
  async receive(name, timeout) {
    const socket = sockets.get(name)
    socket.receiveTimeout = Number(timeout)
    return (await socket.receive()).map(toSpec)
  },
  close(name) {
    sockets.get(name).close()
    sockets.delete(name)
  },
}

const answer = (...words) => process.stdout.write(`${JSON.stringify(words)}\n`)

answer('ok', 'ready')
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...words] = JSON.parse(line)
  try {
    answer('ok', ...((await commands[command](...words)) ?? []))
  } catch (failure) {
    answer('error', failure.code ?? String(failure))
  }
}
process.exit(0)
