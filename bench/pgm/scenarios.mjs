// What happens in a run of multicast. A scenario builds a network, lets the programs speak, and
// returns what came of it.
import { spawn } from 'node:child_process'
import { Network } from '../../scripts/network.mjs'
import { converse, Program, sleep } from './programs.mjs'

const GROUP = '239.192.77.1'
const PORT = 7500
/** libzmq counts the octets of a second in an int. */
const MOST_KBIT = { libzmq: 2_000_000, zerowire: 16_000_000 }
/** PGM packet types: repairs (RDATA) and requests for them (NAK). */
const RDATA = 5
const NAK = 8

const endpoint = (address, port = PORT) => `epgm://${address};${GROUP}:${port}`
const sum = (list, field) => list.reduce((total, each) => total + each[field], 0)

/** Both libraries' defaults with `cap` 0, otherwise a rate of MB/s, and a window of a second. */
function settings(peer, { cap = 0, buffers = 0 }) {
  if (cap === 0) return { buffers }
  const rate = Math.min(cap * 8000, MOST_KBIT[peer])
  return { rate, recovery: cap > 1 ? 1000 : 10_000, buffers }
}

/**
 * Share of a cap that is left for messages of this size when packets are full. libzmq counts the
 * largest packet there may be for each, 1500 octets; ours are 1480 octets, headers included.
 */
function payloadShare(peer, size) {
  const frame = size + 1 < 255 ? 2 : 10
  return ((size / (size + frame)) * 1426) / (peer === 'libzmq' ? 1500 : 1480)
}

function describe({ sent, received }, { size = 1000, parts = 1, cap = 0, sender }) {
  const messages = sum(sent, 'sent') * received.length
  const arrived = sum(received, 'received')
  const span = Math.max(...received.map((each) => each.seconds))
  const seconds = Math.max(span, ...sent.map((each) => each.seconds))
  const bytes = arrived * size * parts
  const gigabytes = bytes / 1e9
  const cpu = sum(sent, 'cpuSeconds') + sum(received, 'cpuSeconds')
  return {
    sent: messages,
    received: arrived,
    lost: messages - arrived,
    delivered: (100 * arrived) / messages,
    duplicates: sum(received, 'duplicates'),
    disordered: sum(received, 'disordered'),
    mixed: sum(received, 'mixed'),
    stalled: sum(received, 'stalled'),
    gaps: sum(received, 'gaps'),
    gapPackets: sum(received, 'gapPackets'),
    rate: arrived / seconds,
    megabytesPerSecond: bytes / seconds / 1e6,
    ofCap: cap > 0 ? bytes / span / 1e4 / (cap * payloadShare(sender, size)) : undefined,
    cpuPerMessage: (cpu * 1e6) / arrived,
    sendCpuPerGB: sum(sent, 'cpuSeconds') / ((sum(sent, 'sent') * size * parts) / 1e9),
    receiveCpuPerGB: sum(received, 'cpuSeconds') / gigabytes,
    sendCpuShare: (100 * sum(sent, 'cpuSeconds')) / sum(sent, 'seconds'),
    p50: received[0].p50,
    p99: Math.max(...received.map((each) => each.p99)),
    max: Math.max(...received.map((each) => each.max)),
    pause: received[0].pause,
    resumed: received[0].resumed,
  }
}

/** Takes as much of a processor as it gets. */
function busyProcess() {
  return spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
}

/**
 * One publisher (`sender`, a peer's name), one subscriber (`receiver`). Options: `cap` (MB/s),
 * `loss` (percent, both ways), `size`, `parts`, `pace` (messages/s), `seconds`, `buffers` (bytes),
 * `busy` (beside a process that computes), `segments` (see Network), `offload` no (see offload.hpp).
 */
async function stream({ hosts: [a, b] }, options) {
  const { sender, receiver, loss = 0, busy = 0, offload = 'yes' } = options
  const { size = 1000, parts = 1, pace = 0, seconds = 1 } = options
  if (loss > 0) {
    a.lose({ percent: loss, types: [NAK] })
    b.lose({ percent: loss, types: [RDATA] })
  }
  const env = offload === 'no' ? { BENCH_NO_OFFLOAD: '1' } : {}
  const hearing = { endpoint: endpoint(b.address), ...settings(receiver, options) }
  const speaking = { endpoint: endpoint(a.address), ...settings(sender, options) }
  const subscriber = new Program(b, receiver, 'subscribe', hearing, env)
  const task = { ...speaking, size, parts, pace, seconds }
  const publisher = new Program(a, sender, 'publish', task, env)
  const other = busy > 0 ? busyProcess() : undefined
  try {
    const result = describe(await converse([publisher], [subscriber]), options)
    if (loss > 0) Object.assign(result, { naks: a.counts()[0], repairs: b.counts()[0] })
    return result
  } finally {
    other?.kill('SIGKILL')
  }
}

/** Default options; nothing gets through for two seconds. `resume`: ms from their end on. */
async function blackout({ hosts: [a, b] }, options) {
  const { sender, receiver } = options
  const subscriber = new Program(b, receiver, 'subscribe', { endpoint: endpoint(b.address) })
  const task = { endpoint: endpoint(a.address), size: 60, pace: 100, seconds: 6 }
  const publisher = new Program(a, sender, 'publish', task)
  let end
  const heard = await converse([publisher], [subscriber], () => {
    const from = Math.ceil(Date.now() / 1e3) + 1
    end = from + 2
    for (const each of [a, b]) each.lose({ from, to: end })
  })
  const result = describe(heard, { ...options, size: 60 })
  // The programs' clock counts from when the machine was started.
  const monotonic = end * 1e6 - performance.timeOrigin * 1e3 - performance.now() * 1e3
  const resume = (result.resumed - monotonic - Number(process.hrtime.bigint()) / 1e3) / 1e3
  return { ...result, resume: result.stalled > 0 ? undefined : resume }
}

/** Two publishers of messages of several parts to one group; `loss` as above. */
async function publishers({ hosts }, options) {
  const { sender, receiver, loss = 0, size = 3000, parts = 3, pace = 500, seconds = 2 } = options
  const [a, b, c] = hosts
  if (loss > 0) for (const host of hosts) host.lose({ percent: loss })
  const hearing = { endpoint: endpoint(b.address), ...settings(receiver, options), sources: 2 }
  const subscriber = new Program(b, receiver, 'subscribe', hearing)
  const both = [a, c].map((host, source) => {
    const task = { endpoint: endpoint(host.address), ...settings(sender, options) }
    return new Program(host, sender, 'publish', { ...task, size, parts, pace, seconds, source })
  })
  return describe(await converse(both, [subscriber]), { ...options, size, parts })
}

/**
 * Publisher and subscriber of each of `peers` (names with + between) on one host, on its loopback
 * interface with 5 % loss, 12 times side by side. `recovered`: how often everybody got everything.
 */
async function host({ hosts: [only] }, { peers, tries = 12 }) {
  const ports = Array.from({ length: tries }, (_, i) => PORT + i)
  const attempts = ports.map(async (port) => {
    const common = { endpoint: endpoint('127.0.0.1', port), rate: 8000, recovery: 10_000 }
    const names = peers.split('+')
    const sources = names.length
    const subscribers = names.map((peer) => {
      return new Program(only, peer, 'subscribe', { ...common, sources, patience: 4 })
    })
    const speakers = names.map((peer, source) => {
      const task = { ...common, size: 200, pace: 200, seconds: 2, source }
      return new Program(only, peer, 'publish', task)
    })
    return describe(await converse(speakers, subscribers, () => sleep(0)), { size: 200 })
  })
  only.lose({ percent: 5 })
  const results = await Promise.all(attempts)
  const good = results.filter((result) => result.lost === 0).length
  return { tries, recovered: good, p99: Math.max(...results.map((result) => result.p99)) }
}

const inNetwork = (hosts, scenario) => (options) => {
  const segments = (options.segments ?? 1) > 0
  return Network.during(hosts, { segments }, (network) => scenario(network, options))
}

export const scenarios = {
  stream: inNetwork(2, stream),
  blackout: inNetwork(2, blackout),
  publishers: inNetwork(3, publishers),
  host: inNetwork(1, host),
}
