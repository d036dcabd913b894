// What copying costs: the native stream with the messages copied by both sides, and handed over.
import { join } from 'node:path'
import { bytes } from './table.mjs'

const KiB = 1024
const MiB = 1024 * KiB

export function nocopyGroups(quick) {
  const bin = process.env.ZEROWIRE_BENCH_BIN
  const sizes = quick
    ? [KiB, 64 * KiB, MiB]
    : [64, KiB, 16 * KiB, 64 * KiB, 256 * KiB, MiB, 4 * MiB, 16 * MiB]
  const entry = (program, size, copy) => ({
    command: [
      ...[join(bin, program), 'throughput', '--transport', 'tcp', '--size', String(size)],
      ...['--copy', copy, '--seconds', '0.3'],
    ],
    env: {},
  })
  return [
    {
      title: 'PUSH/PULL over tcp, with and without copying',
      metric: 'megabytesPerSecond',
      reference: 'libzmq, copied',
      runs: 3,
      chart: { name: 'no-copy', metrics: ['megabytesPerSecond', 'rate'], x: 'message size' },
      rows: sizes.map((size) => ({
        label: bytes(size),
        x: size,
        entries: {
          'zerowire, not copied': entry('zerowire_bench', size, 'no'),
          'zerowire, copied': entry('zerowire_bench', size, 'yes'),
          'libzmq, not copied': entry('libzmq_bench', size, 'no'),
          'libzmq, copied': entry('libzmq_bench', size, 'yes'),
        },
      })),
    },
  ]
}
