// The native benchmarks: zerowire's C++ API, libzmq, and raw sockets as the floor.
import { join } from 'node:path'
import { onOneCore } from './machine.mjs'
import { bytes } from './table.mjs'

const KiB = 1024
const MiB = 1024 * KiB

/** Commands of one row: `floors` are [name, raw_floor mode and arguments]. */
function row(context, label, mode, options, floors = []) {
  const { bin, prefix, env, seconds } = context
  const { transport, size } = options
  const flags = Object.entries({ ...options, seconds }).flatMap(([key, value]) => [
    `--${key}`,
    String(value),
  ])
  const peer = (name) => ({ command: [...prefix, join(bin, name), mode, ...flags], env })
  const entries = { zerowire: peer('zerowire_bench'), libzmq: peer('libzmq_bench') }
  const common = ['--transport', transport, '--size', String(size), '--seconds', String(seconds)]
  for (const [name, ...args] of transport === 'inproc' ? [] : floors) {
    entries[name] = { command: [...prefix, join(bin, 'raw_floor'), ...args, ...common], env }
  }
  return { label, x: size, entries }
}

function throughput(context, quick) {
  const all = [32, 64, 256, KiB, 4 * KiB, 64 * KiB, MiB]
  const sizes = quick ? [64, KiB, 64 * KiB, MiB] : all
  const group = (transport) => ({
    title: `PUSH/PULL over ${transport}`,
    metric: 'rate',
    reference: 'libzmq',
    chart: {
      name: `push-pull-${transport}`,
      metrics: ['rate', ...(transport === 'inproc' ? [] : ['megabytesPerSecond'])],
      x: 'message size',
    },
    rows: sizes.map((size) =>
      row(context, bytes(size), 'throughput', { transport, size }, [['raw frames', 'stream']]),
    ),
  })
  const reno = { ...context, env: { BENCH_CONGESTION: 'reno' } }
  const bulk = (title, settings) => ({
    title,
    metric: 'megabytesPerSecond',
    reference: 'libzmq',
    runs: 3,
    rows: (quick ? [MiB] : [64 * KiB, MiB]).map((size) =>
      row(settings, bytes(size), 'throughput', { transport: 'tcp', size }, [
        ['raw frames', 'stream'],
        ['raw 256 KiB writes', 'bulk'],
      ]),
    ),
  })
  return [
    ...['tcp', 'ipc', 'inproc'].map(group),
    bulk('Bulk over tcp, congestion control of the machine', context),
    bulk('Bulk over tcp, congestion control reno on every socket', reno),
  ]
}

function latency(context, quick, placement) {
  const free = placement === 'free'
  const sizes = (transport) => {
    if (!free) return [64]
    // Over inproc all large messages are alike: they are not copied.
    if (quick || transport === 'inproc') return [64, 64 * KiB]
    return [64, KiB, 64 * KiB, MiB]
  }
  const blocking = ['raw blocking', 'pingpong', '--wait', 'block']
  const hybrid = ['raw spin 50 µs, block', 'pingpong', '--wait', 'hybrid']
  return ['tcp', 'ipc', 'inproc'].map((transport) => ({
    title: `REQ/REP round trip over ${transport}, ${placement}`,
    metric: 'p50',
    reference: 'libzmq',
    runs: free ? undefined : 3,
    chart: free
      ? { name: `round-trip-${transport}`, metrics: ['p50'], x: 'message size' }
      : undefined,
    rows: sizes(transport).map((size) =>
      row(
        context,
        bytes(size),
        'latency',
        { transport, size },
        free ? [blocking, hybrid] : [blocking],
      ),
    ),
  }))
}

function patterns(context, quick) {
  const transport = 'tcp'
  const fanout = (size, counts) =>
    counts.map((count) =>
      row(context, `${count} x ${bytes(size)}`, 'fanout', { transport, size, count }),
    )
  const outstanding = (quick ? [100] : [10, 100, 1000]).map((count) =>
    row(context, `${count} x 64 B`, 'outstanding', { transport, size: 64, count, hwm: 10_000 }),
  )
  const reference = 'libzmq'
  const few = [1, 8, 64]
  const rows = quick ? fanout(64, [1, 64]) : [...fanout(64, [...few, 1000]), ...fanout(KiB, [64])]
  return [
    { title: 'PUB to N SUB (deliveries)', metric: 'rate', reference, runs: 3, rows },
    {
      title: 'DEALER/ROUTER, N requests outstanding',
      metric: 'rate',
      reference,
      rows: outstanding,
    },
  ]
}

/** What many connections, subscriptions and IO threads do, and streams that are not saturated. */
function scale(context, quick) {
  const reference = 'libzmq'
  const tcp = { transport: 'tcp', size: 64 }
  const at = (label, x, mode, options, floors) => ({
    ...row(context, label, mode, options, floors),
    x,
  })
  const connections = (quick ? [1000] : [1000, 10_000]).map((count) =>
    at(`${count} connections`, count, 'connections', { ...tcp, count, deadline: 60 }),
  )
  const subscriptions = quick ? [1000] : [100, 1000, 10_000, 100_000]
  const rates = quick ? [100_000] : [2000, 100_000, 300_000, 1_000_000]
  const threads = quick ? [1, 2] : [1, 2, 4]
  return [
    {
      title: 'Connections to one PULL, handshaken',
      metric: 'rate',
      reference,
      runs: 3,
      rows: connections,
    },
    {
      title: 'The same: memory of each',
      metric: 'kibibytes',
      reference,
      runs: 1,
      rows: connections,
    },
    {
      title: 'PUB: a message that matches none of N subscriptions',
      metric: 'nanoseconds',
      reference,
      runs: 3,
      chart: quick ? undefined : { name: 'matching', metrics: ['nanoseconds'], x: 'subscriptions' },
      rows: subscriptions.map((count) =>
        at(String(count), count, 'matching', { ...tcp, count, hwm: 1_000_000 }),
      ),
    },
    {
      title: 'One-way latency of a stream in ticks of 100 µs or more',
      metric: 'p50',
      reference,
      runs: 3,
      chart: quick
        ? undefined
        : { name: 'paced', metrics: ['p50', 'cpuPerMessage'], x: 'messages per second' },
      rows: rates.map((rate) => {
        const floor = ['raw frames', 'paced', '--rate', String(rate)]
        const paced = at(`${rate} msg/s`, rate, 'paced', { ...tcp, rate }, [floor])
        const { command, env } = paced.entries.zerowire
        paced.entries['zerowire corked'] = { command: [...command, '--corked', '1'], env }
        return paced
      }),
    },
    {
      title: 'REQ/REP round trip over tcp with N IO threads on each side',
      metric: 'p50',
      reference,
      runs: 3,
      rows: threads.map((count) =>
        at(`${count}`, count, 'latency', { ...tcp, 'io-threads': count }),
      ),
    },
    {
      title: 'PUB to 8 SUB with N IO threads on each side (deliveries)',
      metric: 'rate',
      reference,
      runs: 3,
      rows: threads.map((count) =>
        at(`${count}`, count, 'fanout', { ...tcp, count: 8, 'io-threads': count }),
      ),
    },
  ]
}

export function nativeGroups(quick) {
  const bin = process.env.ZEROWIRE_BENCH_BIN
  if (!bin) throw new Error('ZEROWIRE_BENCH_BIN must name the folder of the built programs')
  const context = { bin, prefix: [], env: {}, seconds: 0.3 }
  const pin = onOneCore()
  return [
    ...throughput(context, quick),
    ...latency(context, quick, 'free'),
    ...(pin ? latency({ ...context, prefix: pin }, quick, 'one core') : []),
    ...patterns(context, quick),
    ...scale(context, quick),
  ]
}
