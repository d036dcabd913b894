// The headline ratios, measured quickly: a run fails when one of them falls below 60 % of what was
// reached on the slower of the two machines that the README names, in the worst of several runs.
import { nativeGroups } from './native-groups.mjs'
import { nodeGroups } from './node-groups.mjs'

const SHARE = 0.6

/** [group, row, entry, reference, how many times better]. */
const headlines = [
  ['PUSH/PULL over tcp', '64 B', 'zerowire', 'libzmq', 6.4],
  ['PUSH/PULL over tcp', '1 KiB', 'zerowire', 'libzmq', 3.7],
  ['PUSH/PULL over inproc', '64 B', 'zerowire', 'libzmq', 10],
  ['REQ/REP round trip over tcp, free', '64 B', 'zerowire', 'libzmq', 6],
  // 71 where waking a thread takes 35 µs; where it takes 8, libzmq's trips are as much shorter.
  ['REQ/REP round trip over inproc, free', '64 B', 'zerowire', 'libzmq', 14],
  [
    'Push/Pull over tcp, JavaScript to JavaScript',
    '64 B',
    'zerowire for await, send',
    'zeromq.js',
    10,
  ],
  ['Push/Pull over tcp, JavaScript to JavaScript', '64 B', 'zerowire many', 'zeromq.js', 21],
  // 1.3, and 2.2 on a quiet machine; where others use the processors, both wait for these.
  ['Request/Reply round trip over tcp, free', '64 B', 'zerowire', 'net', 1],
  ['Dealer/Router, N requests outstanding', '100 x 64 B', 'zerowire', 'zeromq.js', 5],
]

/** The rows that headlines name, with the entries that they compare; `row.needs` is for `check`. */
export function gateGroups() {
  const groups = [...nativeGroups(true), ...nodeGroups(true)].flatMap((group) => {
    const rows = group.rows.flatMap((row) => {
      const needs = headlines.filter(
        ([title, label]) => title === group.title && label === row.label,
      )
      if (needs.length === 0) return []
      const names = new Set(needs.flatMap(([, , entry, reference]) => [entry, reference]))
      const entries = Object.entries(row.entries).filter(([name]) => names.has(name))
      return [{ ...row, needs, entries: Object.fromEntries(entries) }]
    })
    return rows.length > 0
      ? [{ ...group, chart: undefined, reference: rows[0].needs[0][3], rows }]
      : []
  })
  const found = groups.flatMap(({ rows }) => rows.flatMap(({ needs }) => needs))
  const lost = headlines.filter((headline) => !found.includes(headline))
  if (lost.length > 0) throw new Error(`no such row: ${lost.map((each) => each.join(', '))}`)
  return groups
}

/** What the row's measurements fall short of, in words. */
export function check(group, row, measured) {
  return (row.needs ?? []).flatMap(([, , entry, reference, reached]) => {
    const ours = measured[entry][group.metric]?.median
    const theirs = measured[reference][group.metric]?.median
    const ratio = group.metric === 'p50' ? theirs / ours : ours / theirs
    if (ratio >= reached * SHARE) return []
    const text = `${entry} is ${ratio.toPrecision(3)} times as good as ${reference}`
    return [
      `${group.title}, ${row.label}: ${text}, ${(reached * SHARE).toPrecision(3)} is the least`,
    ]
  })
}
