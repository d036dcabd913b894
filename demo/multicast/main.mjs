// The demo of multicast: `npm run demo:multicast` builds the library and runs this. One publisher
// and three subscribers, each on a host of its own, in a private network that loses packets. Ends
// with exit code 0 only if every subscriber has received everything.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import * as zmq from '../../dist/esm/index.js'
import { Network, networkProblem } from '../../scripts/network.mjs'
import { percentile } from '../figures.mjs'
import {
  bold,
  dim,
  number,
  print,
  red,
  row,
  sparkline,
  title,
  verdict,
  yellow,
} from '../terminal.mjs'

const program = fileURLToPath(new URL('roles.mjs', import.meta.url))
const group = '239.192.1.1:5555'
const subscribers = ['subscriber 1', 'subscriber 2', 'subscriber 3']
const stream = { size: 1000, tick: 5, perTick: 5, duration: 5000 }
const slot = 100
const percent = 5
const patience = 20_000
/** PGM packet types: repairs (RDATA) and requests for them (NAK). */
const [rdata, nak] = [5, 8]

const children = new Set()

/** A process in one of the roles; `host` may be undefined, then it runs beside us. */
class Actor {
  #child
  #heard = []
  #waiting = []

  constructor(host, role, task) {
    const command = [process.execPath, program, role, JSON.stringify(task)]
    const options = { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' }
    const [first, ...rest] = host ? host.inside(command) : command
    this.#child = spawn(first, rest, options)
    children.add(this.#child)
    this.#child.on('message', (message) => {
      this.#heard.push(message)
      this.#waiting.shift()?.()
    })
    this.#child.on('exit', (code, signal) => {
      children.delete(this.#child)
      if (code !== 0) giveUp(`the ${role} ended with ${code ?? signal}`)
    })
  }

  async hear() {
    if (this.#heard.length === 0) await new Promise((resolve) => this.#waiting.push(resolve))
    return this.#heard.shift()
  }

  tell() {
    this.#child.send('go')
  }
}

function giveUp(reason) {
  print(red(`\n   ${reason}`))
  for (const child of children) child.kill('SIGKILL')
  process.exit(1)
}

/** Publisher and subscribers do what they are there for: { sent, heard }. */
async function perform(hosts) {
  const endpoint = (host) => `epgm://${host?.address ?? '127.0.0.1'};${group}`
  const [first, ...others] = hosts
  const listeners = subscribers.map((_, i) => {
    return new Actor(others[i], 'subscriber', { endpoint: endpoint(others[i]), slot })
  })
  const publisher = new Actor(first, 'publisher', { endpoint: endpoint(first), ...stream })
  await publisher.hear()
  await Promise.all(listeners.map((listener) => listener.hear()))
  publisher.tell()
  const { sent } = await publisher.hear()
  const heard = await Promise.all(listeners.map((listener) => listener.hear()))
  publisher.tell()
  return { sent, heard }
}

function milliseconds(delays) {
  const sorted = delays.toSorted((a, b) => a - b)
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(sorted, share).toFixed(1))
  return `p50 ${p50} ms   p99 ${p99} ms   longest ${sorted.at(-1).toFixed(1)} ms`
}

/** What a subscriber has seen; whether it was everything, in order. */
function show(name, { delays, slots, wrong, lost }, dropped, top) {
  row(name, yellow(sparkline(slots, top)))
  const never = dropped === undefined ? '' : `${number(dropped)} packets did not arrive, `
  row('', dim(`${never}${number(delays.length)} messages did, ${number(lost)} lost for good`))
  row('', dim(milliseconds(delays)))
  return { received: delays.length, good: wrong === 0 && lost === 0 }
}

async function main() {
  print(
    `${bold('zerowire')} ${zmq.version}  ${dim(`Node.js ${process.version}, reliable multicast`)}`,
  )
  const problem = networkProblem()
  const network = problem ? undefined : await Network.create(1 + subscribers.length)
  const hosts = network?.hosts ?? []
  title(1, 'One publisher, three subscribers', `epgm (PGM in UDP) to the group ${group}`)
  if (problem) {
    row('', yellow('No packets get lost here, because there can be no private network:'))
    row('', yellow(problem))
  } else {
    row('', dim(`four hosts on a switch; each loses ${percent} % of all packets that come to it`))
  }
  const [first] = hosts
  for (const host of hosts) host.lose({ percent, types: host === first ? [nak] : [rdata] })
  const { sent, heard } = await perform(hosts)

  const rate = number((1000 * stream.perTick) / stream.tick)
  row('publisher', `${number(sent)} messages of ${number(stream.size)} bytes, ${rate} each second`)
  row('', dim(`the longest delay in each ${slot} ms: where it is high, packets were sent again`))
  const top = Math.max(...heard.flatMap(({ slots }) => slots))
  const results = heard.map((report, i) => {
    return show(subscribers[i], report, hosts[i + 1]?.dropped(), top)
  })
  if (network) {
    const [asked] = first.counts()
    const [repairs] = hosts[1].counts()
    row('repairs', `${number(repairs)} packets sent again, to all, after ${number(asked)} requests`)
  }
  network?.close()
  print()
  const good = results.every((result) => result.good && result.received === sent)
  const all = number(sent * subscribers.length)
  const received = results.reduce((total, result) => total + result.received, 0)
  return verdict(good, `${number(received)} of ${all} messages arrived, in order, without a gap`)
}

setTimeout(() => giveUp(`not done after ${patience / 1000} s`), patience).unref()
try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  giveUp(error.stack)
}
