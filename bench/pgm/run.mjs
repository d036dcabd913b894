// One run of multicast in a private network, described by one line of JSON. Usage:
//   ZEROWIRE_BENCH_BIN=... node bench/pgm/run.mjs <scenario> [--name value ...]
// Scenarios and options are in scenarios.mjs.
import { endAll } from './programs.mjs'
import { scenarios } from './scenarios.mjs'

function parse([scenario, ...rest]) {
  const options = {}
  for (let i = 0; i + 1 < rest.length; i += 2) {
    const value = Number(rest[i + 1])
    options[rest[i].replace(/^--/, '')] = Number.isNaN(value) ? rest[i + 1] : value
  }
  return [scenario, options]
}

const [name, options] = parse(process.argv.slice(2))
try {
  if (!(name in scenarios)) throw new Error(`scenarios: ${Object.keys(scenarios)}`)
  console.log(JSON.stringify({ scenario: name, ...options, ...(await scenarios[name](options)) }))
} catch (error) {
  console.log(JSON.stringify({ error: error.message }))
  process.exitCode = 1
} finally {
  endAll()
}
