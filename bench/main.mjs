// `npm run bench -- [native|node|rpc|nocopy] [--quick] [--json FILE]`: runs the workloads of every
// peer in turn (A B A B ...), prints tables of medians, writes all runs as JSON and draws charts.
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drawCharts } from './charts.mjs'
import { machine } from './machine.mjs'
import { nativeGroups } from './native-groups.mjs'
import { nocopyGroups } from './nocopy-groups.mjs'
import { nodeGroups } from './node-groups.mjs'
import { rpcGroups } from './rpc-groups.mjs'
import { runRow } from './runner.mjs'
import { printHeading, printRow } from './table.mjs'

const parts = { native: nativeGroups, node: nodeGroups, rpc: rpcGroups, nocopy: nocopyGroups }

function parse(argv) {
  const parsed = { what: [], quick: false, json: '' }
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--quick') parsed.quick = true
    else if (argv[i] === '--json' && i + 1 < argv.length) parsed.json = argv[++i]
    else if (argv[i] in parts) parsed.what.push(argv[i])
    else
      throw new Error(`unknown argument ${argv[i]}; known: ${Object.keys(parts)}, --quick, --json`)
  }
  if (parsed.what.length === 0) parsed.what = Object.keys(parts)
  return parsed
}

function save(file, data) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(data, null, 1)}\n`)
}

async function main() {
  const { what, quick, json } = parse(process.argv.slice(2))
  const all = what.length === Object.keys(parts).length
  const name = `${all ? 'all' : what.join('-')}${quick ? '-quick' : ''}.json`
  const file = json || fileURLToPath(new URL(`results/${name}`, import.meta.url))
  const started = Date.now()
  const result = { started: new Date(started).toISOString(), machine: machine(), groups: [] }
  const { cpu, cores, kernel, congestion, node } = result.machine
  process.stdout.write(`${cores} x ${cpu}, Linux ${kernel}, ${congestion}, Node ${node}\n`)
  process.stdout.write('Medians (min–max) of interleaved runs; x = times the reference.\n')

  const groups = what.flatMap((part) => parts[part](quick))
  const failures = []
  for (const group of groups) {
    const rows = []
    result.groups.push({ title: group.title, metric: group.metric, chart: group.chart, rows })
    printHeading(group)
    for (const row of group.rows) {
      const measured = await runRow(row, group.runs ?? (quick ? 3 : 5))
      rows.push({ label: row.label, x: row.x, entries: measured })
      printRow(group, row, measured)
      for (const [entry, { errors }] of Object.entries(measured)) {
        failures.push(...errors.map((error) => `${group.title}, ${row.label}, ${entry}: ${error}`))
      }
    }
  }
  result.seconds = Math.round((Date.now() - started) / 1e3)
  save(file, result)
  const charts = await drawCharts(result, dirname(file), quick ? `${basename(file, '.json')}-` : '')
  process.stdout.write(`\n${result.seconds} s; all runs are in ${file}, charts beside it:\n`)
  process.stdout.write(`${charts.join(' ')}\n`)
  for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`)
  process.exitCode = failures.length > 0 ? 1 : 0
}

await main()
