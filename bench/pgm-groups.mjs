// Multicast over PGM in private networks: zerowire and libzmq as publisher and subscriber, without
// and with loss. What a run does is in pgm/scenarios.mjs. Targets are for two cores and virtual
// Ethernet; a row says whether they are reached here.
import { fileURLToPath } from 'node:url'
import { networkProblem } from '../scripts/network.mjs'

const program = fileURLToPath(new URL('pgm/run.mjs', import.meta.url))
/** As large as the ones that zerowire asks the kernel for by itself. */
const BUFFERS = 4 * 1024 * 1024
/** As fast as it goes. */
const UNLIMITED = 2000

function entry(scenario, options) {
  const flags = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)])
  return { command: [process.execPath, program, scenario, ...flags] }
}

/** An entry for each pairing of a publisher with a subscriber. */
function pairings(scenario, options, pairs) {
  const entries = pairs.map(([sender, receiver]) => {
    const name = sender === receiver ? sender : `${sender} to ${receiver}`
    const buffers = receiver === 'libzmq' ? { buffers: BUFFERS } : {}
    return [name, entry(scenario, { sender, receiver, ...buffers, ...options })]
  })
  return Object.fromEntries(entries)
}

const ours = ['zerowire', 'zerowire']
const theirs = ['libzmq', 'libzmq']
const same = [ours, theirs]
const all = [...same, ['libzmq', 'zerowire'], ['zerowire', 'libzmq']]

/** A target: `field` of the entry is to be at least or at most so much. */
const least = (name, field, value) => ({ name, field, value, reached: (got) => got >= value })
const most = (name, field, value) => ({ name, field, value, reached: (got) => got <= value })

/** In words, whether the row's targets are reached. */
export function verdicts(row, measured) {
  return (row.targets ?? []).map(({ name, field, value, reached }) => {
    const got = measured[name]?.[field]?.median
    const sign = reached(Infinity) ? '≥' : '≤'
    const shown = got === undefined ? 'nothing' : Number(got.toPrecision(3))
    const word = got !== undefined && reached(got) ? 'reached' : 'MISSED'
    return `target ${name}: ${field} ${sign} ${value}: ${shown}, ${word}`
  })
}

const percent = (entry) => `${Number(entry.delivered.median.toPrecision(3))} %`

function speed() {
  const plain = { cap: UNLIMITED, seconds: 1 }
  const row = (size, field, [withOffload, without], further = []) => ({
    label: `${size} B`,
    entries: {
      ...pairings('stream', { ...plain, size }, [ours]),
      'without offload': entry('stream', {
        sender: 'zerowire',
        receiver: 'zerowire',
        ...plain,
        size,
        offload: 'no',
      }),
      ...pairings('stream', { ...plain, size }, [theirs]),
    },
    targets: [
      least('zerowire', field, withOffload),
      least('without offload', field, without),
      ...further,
    ],
  })
  const cpu = [
    most('without offload', 'sendCpuPerGB', 4.5),
    most('without offload', 'receiveCpuPerGB', 1.5),
  ]
  const capped = (cap) => ({
    label: `1000 B at ${cap} MB/s`,
    entries: pairings('stream', { cap, seconds: 1 }, same),
    targets: [
      least('zerowire', 'delivered', 100),
      most('zerowire', 'sendCpuPerGB', 1.6),
      most('zerowire', 'receiveCpuPerGB', 0.8),
    ],
  })
  return [
    {
      title: 'Multicast as fast as it goes',
      metric: 'megabytesPerSecond',
      show: percent,
      rows: [row(1000, 'megabytesPerSecond', [600, 220], cpu)],
    },
    {
      title: 'The same, small messages',
      metric: 'rate',
      show: percent,
      rows: [row(100, 'rate', [3e6, 1.5e6])],
    },
    {
      title: 'At a cap of 640 MB/s (libzmq: 250, its most)',
      metric: 'megabytesPerSecond',
      show: percent,
      rows: [capped(640)],
    },
  ]
}

function caps(quick) {
  const row = (cap, busy) => ({
    label: `${cap} MB/s${busy ? ', busy' : ''}`,
    entries: pairings('stream', { cap, busy, seconds: quick ? 1 : 2 }, same),
    targets: [
      most('zerowire', 'ofCap', 101),
      least('zerowire', 'ofCap', 99),
      ...(cap === 10 && !busy ? [most('zerowire', 'sendCpuPerGB', 10)] : []),
      ...(cap === 1 && !busy ? [most('zerowire', 'sendCpuShare', 3)] : []),
    ],
  })
  const rates = quick ? [100] : [1, 10, 50, 100]
  return {
    title: 'Rate kept, of the payload that the cap leaves room for; also beside a busy process',
    metric: 'ofCap',
    runs: 1,
    rows: [0, 1].flatMap((busy) => rates.map((cap) => row(cap, busy))),
  }
}

function latency(quick) {
  const goals = { 0: [200, 5000], 1: [3000, 15_000], 5: [8000, 30_000], 20: [25_000, 80_000] }
  const fromTheirs = { 1: 5000, 5: 15_000 }
  const row = (loss) => ({
    label: `${loss} % lost`,
    x: loss,
    entries: pairings(
      'stream',
      { cap: 1, pace: 1000, size: 200, loss, seconds: 2, segments: 0 },
      quick ? same : all,
    ),
    targets: [
      ...(loss === 0 ? [most('zerowire', 'p50', 50)] : []),
      most('zerowire', 'p99', goals[loss][0]),
      most('zerowire', 'max', goals[loss][1]),
      ...(fromTheirs[loss] && !quick ? [most('libzmq to zerowire', 'p99', fromTheirs[loss])] : []),
    ],
  })
  return {
    title: 'One-way latency of 1000 messages/s of 200 B',
    metric: 'p99',
    reference: 'libzmq',
    runs: quick ? 1 : 3,
    chart: {
      name: 'multicast-latency',
      metrics: ['p99'],
      x: 'lost on each way, percent',
      scales: { x: 'linear', y: 'log' },
    },
    rows: (quick ? [0, 5] : [0, 1, 5, 20]).map(row),
  }
}

function goodput(quick, cap) {
  const goals = { 50: { 5: 44, 20: 37 }, 100: { 5: 88, 20: 70 } }
  const row = (loss) => ({
    label: `${loss} % lost`,
    x: loss,
    entries: pairings('stream', { cap, loss, seconds: quick ? 1 : 2, segments: 0 }, same),
    targets: goals[cap][loss]
      ? [
          least('zerowire', 'delivered', 100),
          least('zerowire', 'megabytesPerSecond', goals[cap][loss]),
        ]
      : [],
  })
  return {
    title: `Goodput at a cap of ${cap} MB/s`,
    metric: 'megabytesPerSecond',
    show: percent,
    runs: quick ? 1 : 3,
    chart: {
      name: `multicast-goodput-${cap}`,
      metrics: ['megabytesPerSecond'],
      x: 'lost on each way, percent',
      scales: { x: 'linear', y: 'linear' },
    },
    rows: (quick ? [5] : [0, 1, 5, 20]).map(row),
  }
}

/** How soon it goes on, and what it tells. */
function resumption({ resume, gaps }) {
  if (!resume) return 'does not go on'
  return `on after ${resume.median.toFixed(0)} ms, gaps ${gaps.median}`
}

function accidents(quick) {
  const host = (name, peers) => [name, entry('host', { peers })]
  return [
    {
      title: 'Two seconds without network, default options: 200 messages of 600',
      metric: 'lost',
      show: resumption,
      runs: 1,
      rows: [
        {
          label: '100 messages/s',
          entries: pairings('blackout', {}, same),
          targets: [
            most('zerowire', 'lost', 200),
            most('zerowire', 'gaps', 1),
            most('zerowire', 'resume', 20), // of which up to 10 are spent on waiting for a message
          ],
        },
      ],
    },
    {
      title: 'Two publishers of messages in three parts',
      metric: 'mixed',
      runs: 1,
      rows: (quick ? [5] : [0, 5]).map((loss) => ({
        label: loss > 0 ? '5 % lost' : 'nothing lost',
        entries: pairings(
          'publishers',
          { cap: 50, pace: 500, loss, seconds: quick ? 1 : 3, segments: 0 },
          same,
        ),
        targets: [most('zerowire', 'mixed', 0), most('zerowire', 'lost', 0)],
      })),
    },
    {
      title: 'Publisher and subscriber on one host, 5 % lost: how many of 12 recover all',
      metric: 'recovered',
      runs: 1,
      rows: [
        {
          label: 'one host',
          entries: Object.fromEntries([
            host('zerowire', 'zerowire'),
            host('libzmq', 'libzmq'),
            host('both together', 'zerowire+libzmq'),
          ]),
          targets: [least('zerowire', 'recovered', 12), least('both together', 'recovered', 12)],
        },
      ],
    },
    {
      title: 'Default buffers at 100 MB/s, no loss in the network',
      metric: 'delivered',
      runs: quick ? 1 : 3,
      rows: [
        {
          label: '100 MB/s',
          entries: pairings('stream', { cap: 100, buffers: 0, seconds: quick ? 1 : 2 }, same),
          targets: [least('zerowire', 'delivered', 100)],
        },
      ],
    },
  ]
}

export function pgmGroups(quick) {
  const problem = networkProblem()
  if (problem) {
    process.stdout.write(`\nMulticast is left out: ${problem}\n`)
    return []
  }
  const runs = quick ? 1 : 3
  return [
    ...speed().map((group) => ({ reference: 'libzmq', runs, ...group })),
    caps(quick),
    latency(quick),
    ...(quick ? [50] : [50, 100]).map((cap) => goodput(quick, cap)),
    ...accidents(quick),
  ]
}
