// Tables for the terminal: one line per row, one column per entry, ratios to the group's reference.

const LABEL = 22
const CELL = 31

/** `detail`: what is shown instead of the range. */
const metrics = {
  rate: { unit: 'operations/s', better: 'higher', format: count },
  megabytesPerSecond: { unit: 'MB/s', better: 'higher', format: count },
  p50: { unit: 'µs, median (p99)', better: 'lower', format: microseconds, detail: 'p99' },
  p99: { unit: 'µs, 99 of 100 (max)', better: 'lower', format: microseconds, detail: 'max' },
  ofCap: { unit: '%', better: '100', format: digits },
  delivered: { unit: '% of all messages', better: 'higher', format: digits },
  lost: { unit: 'messages lost', better: 'lower', format: String },
  mixed: { unit: 'messages of parts of several', better: 'lower', format: String },
  recovered: { unit: 'runs', better: 'higher', format: String },
  nanoseconds: { unit: 'ns', better: 'lower', format: microseconds },
  kibibytes: { unit: 'KiB', better: 'lower', format: microseconds },
}

export function count(value) {
  if (value >= 1e6) return `${digits(value / 1e6)} M`
  if (value >= 1e4) return `${digits(value / 1e3)} k`
  return digits(value)
}

function digits(value) {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function microseconds(value) {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3)
}

export function printHeading(group) {
  const { unit, better } = metrics[group.metric]
  process.stdout.write(`\n${group.title}: ${unit}, ${better} is better\n`)
  const names = Object.keys(group.rows[0]?.entries ?? {})
  if (isTall(group)) return
  const head = names.map((name) => name.padEnd(CELL)).join('')
  process.stdout.write(`${' '.repeat(LABEL)}${head}CPU µs each\n`)
}

/** With many entries they go below each other. */
function isTall(group) {
  return Object.keys(group.rows[0]?.entries ?? {}).length > 5
}

function printTall(group, row, measured) {
  process.stdout.write(`${row.label}\n`)
  for (const [name, entry] of Object.entries(measured)) {
    const text = cell(group, entry, measured[group.reference]).padEnd(CELL)
    const cpu = entry.cpuPerMessage ? `CPU µs ${digits(entry.cpuPerMessage.median)}` : ''
    process.stdout.write(`  ${name.padEnd(LABEL - 2)}${text}${cpu}\n`)
  }
}

function cell(group, entry, reference) {
  const metric = group.metric
  const value = entry[metric]
  if (!value) return `failed: ${entry.errors[0]}`.slice(0, CELL - 1)
  const { format, detail } = metrics[metric]
  const usual = () => (detail ? format(entry[detail].median) : range(value, format))
  const spread = group.show ? group.show(entry) : usual()
  const ratio = reference && reference !== entry ? reference[metric] : undefined
  const times = ratio ? ` ${(value.median / ratio.median).toPrecision(3)}x` : ''
  return `${format(value.median)} (${spread})${times}`
}

function range({ min, max }, format) {
  return `${format(min)}–${format(max)}`
}

export function printRow(group, row, measured) {
  if (isTall(group)) return printTall(group, row, measured)
  const entries = Object.values(measured)
  const cells = entries.map((entry) => cell(group, entry, measured[group.reference]).padEnd(CELL))
  const cpu = entries.map((entry) =>
    entry.cpuPerMessage ? digits(entry.cpuPerMessage.median) : '-',
  )
  process.stdout.write(`${row.label.padEnd(LABEL)}${cells.join('')}${cpu.join(' / ')}\n`)
}

/** "64 B", "1 KiB", "8 MiB". */
export function bytes(size) {
  if (size >= 2 ** 20) return `${size / 2 ** 20} MiB`
  return size >= 1024 ? `${size / 1024} KiB` : `${size} B`
}
