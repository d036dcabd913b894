// `npm run bench -- [native|node|rpc|nocopy|pgm|gate] [--quick] [--json FILE]`: runs the workloads of every
// peer in turn (A B A B ...), prints tables of medians, writes all runs as JSON and draws charts.
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drawCharts } from './charts.mjs'
import { check, gateGroups } from './gate-groups.mjs'
import { machine } from './machine.mjs'
import { nativeGroups } from './native-groups.mjs'
import { nocopyGroups } from './nocopy-groups.mjs'
import { nodeGroups } from './node-groups.mjs'
import { pgmGroups, verdicts } from './pgm-groups.mjs'
import { rpcGroups } from './rpc-groups.mjs'
import { runRow } from './runner.mjs'
import { printHeading, printRow } from './table.mjs'

const usual = { native: nativeGroups, node: nodeGroups, rpc: rpcGroups, nocopy: nocopyGroups }
const parts = { ...usual, pgm: pgmGroups, gate: gateGroups }

function parse(argv) {
  const parsed = { what: [], quick: false, json: '' }
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--quick') parsed.quick = true
    else if (argv[i] === '--json' && i + 1 < argv.length) parsed.json = argv[++i]
    else if (argv[i] in parts) parsed.what.push(argv[i])
    else
      throw new Error(`unknown argument ${argv[i]}; known: ${Object.keys(parts)}, --quick, --json`)
  }
  if (parsed.what.length === 0) parsed.what = Object.keys(usual)
  return parsed
}

function save(file, data) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(data, null, 1)}\n`)
}

async function main() {
  const { what, quick, json } = parse(process.argv.slice(2))
  const all = what.length === Object.keys(usual).length
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
      const times = group.runs ?? (quick ? 3 : 5)
      let measured = await runRow(row, times)
      printRow(group, row, measured)
      for (let again = 4; again > 0 && check(group, row, measured).length > 0; again--) {
        // Something else may have been running.
        measured = await runRow(row, times)
        printRow(group, row, measured)
      }
      failures.push(...check(group, row, measured))
      const targets = verdicts(row, measured)
      for (const target of targets) process.stdout.write(`  ${target}\n`)
      rows.push({ label: row.label, x: row.x, targets, entries: measured })
      for (const [entry, { errors }] of Object.entries(measured)) {
        failures.push(...errors.map((error) => `${group.title}, ${row.label}, ${entry}: ${error}`))
      }
    }
  }
  result.seconds = Math.round((Date.now() - started) / 1e3)
  save(file, result)
  const charts = await drawCharts(result, dirname(file), quick ? `${basename(file, '.json')}-` : '')
  process.stdout.write(`\n${result.seconds} s; all runs are in ${file}\n`)
  if (charts.length > 0) process.stdout.write(`charts beside it: ${charts.join(' ')}\n`)
  for (const failure of failures) process.stdout.write(`FAILED ${failure}\n`)
  process.exitCode = failures.length > 0 ? 1 : 0
}

await main()
