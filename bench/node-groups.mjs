// The Node benchmarks: zerowire, zeromq.js, and `net` as the floor of a round trip.
import { fileURLToPath } from 'node:url'
import { onOneCore } from './machine.mjs'
import { bytes } from './table.mjs'

const KiB = 1024
const program = fileURLToPath(new URL('node/run.mjs', import.meta.url))

/** One entry of a row: a workload with `--key value` arguments. */
function entry(prefix, workload, options) {
  const flags = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)])
  return { command: [...prefix, process.execPath, program, workload, ...flags], env: {} }
}

function pipeline(transport, sizes) {
  return {
    title: `Push/Pull over ${transport}, JavaScript to JavaScript`,
    metric: 'rate',
    reference: 'zeromq.js',
    runs: sizes.length > 1 ? undefined : 3,
    chart:
      sizes.length > 1
        ? {
            name: `node-push-pull-${transport}`,
            metrics: ['rate', 'megabytesPerSecond'],
            x: 'message size',
          }
        : undefined,
    rows: sizes.map((size) => {
      const options = { transport, size }
      const many = { ...options, send: 'many', receive: 'many' }
      return {
        label: bytes(size),
        x: size,
        entries: {
          'zerowire for await, send': entry([], 'pipeline', { peer: 'zerowire', ...options }),
          'zerowire many': entry([], 'pipeline', { peer: 'zerowire', ...many }),
          'zeromq.js': entry([], 'pipeline', { peer: 'zeromq', ...options }),
        },
      }
    }),
  }
}

function request(prefix, placement) {
  return {
    title: `Request/Reply round trip over tcp, ${placement}`,
    metric: 'p50',
    reference: 'zeromq.js',
    runs: prefix.length > 0 ? 3 : undefined,
    rows: [
      {
        label: '64 B',
        entries: {
          zerowire: entry(prefix, 'request', { peer: 'zerowire', size: 64 }),
          'zeromq.js': entry(prefix, 'request', { peer: 'zeromq', size: 64 }),
          net: entry(prefix, 'net', { size: 64 }),
        },
      },
    ],
  }
}

function counted(title, workload, counts, runs) {
  return {
    title,
    metric: 'rate',
    reference: 'zeromq.js',
    runs,
    rows: counts.map((count) => ({
      label: `${count} x 64 B`,
      entries: {
        zerowire: entry([], workload, { peer: 'zerowire', count }),
        'zeromq.js': entry([], workload, { peer: 'zeromq', count }),
      },
    })),
  }
}

/** The program computes, or does other things, while messages come in. */
function busy() {
  const peers = { zerowire: 'zerowire', 'zeromq.js': 'zeromq' }
  const both = (workload, options) =>
    Object.fromEntries(
      Object.entries(peers).map(([name, peer]) => [
        name,
        entry([], workload, { peer, ...options }),
      ]),
    )
  return [
    {
      title: 'Push/Pull, 100,000 messages/s offered, JavaScript of the receiver busy',
      metric: 'rate',
      reference: 'zeromq.js',
      runs: 3,
      rows: [0, 90].map((count) => ({ label: `${count} %`, entries: both('busy', { count }) })),
    },
    {
      title: 'Event-loop delay while receiving 64 B messages at full rate',
      metric: 'p50',
      reference: 'zeromq.js',
      runs: 1,
      rows: [{ label: '3 s', entries: both('flood', { seconds: 3 }) }],
    },
  ]
}

export function nodeGroups(quick) {
  const pin = onOneCore()
  const sizes = quick ? [64, 64 * KiB] : [64, KiB, 64 * KiB, KiB * KiB]
  return [
    pipeline('tcp', sizes),
    ...(quick ? [] : [pipeline('ipc', [64])]),
    request([], 'free'),
    ...(pin ? [request(pin, 'one core')] : []),
    counted('Dealer/Router, N requests outstanding', 'outstanding', quick ? [100] : [10, 100]),
    ...busy(),
    counted('Publisher to N Subscribers (deliveries)', 'publish', quick ? [64] : [1, 64], 3),
  ]
}
