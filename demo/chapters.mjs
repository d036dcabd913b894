// The patterns, one chapter each. A chapter shows what happens and returns whether all that was
// sent has arrived.
import * as zmq from '../dist/esm/index.js'
import { Actor } from './actor.mjs'
import { percentile } from './figures.mjs'
import { dim, number, row, title, verdict } from './terminal.mjs'
import { primesBelow } from './work.mjs'

const tables = {
  'guest 1': [
    [2, 'espresso'],
    [1, 'croissant'],
  ],
  'guest 2': [[3, 'tea']],
  'guest 3': [
    [1, 'espresso'],
    [4, 'croissant'],
  ],
}

export async function requests() {
  title(1, 'Request and reply', 'one counter, three guests, tcp')
  const orders = Object.values(tables).flat().length
  const counter = new Actor('counter', { orders })
  const endpoint = await counter.hear()
  const bills = await Promise.all(
    Object.values(tables).map((table) => new Actor('guest', { endpoint, orders: table }).leave()),
  )
  for (const [i, name] of Object.keys(tables).entries()) {
    const lines = bills[i].map(({ count, item, price }) => `${count} ${item} ${dim(`= ${price}`)}`)
    row(name, lines.join(', '))
  }
  await counter.leave()
  const replies = bills.flat().length
  return verdict(replies === orders, `${replies} of ${orders} orders got their reply`)
}

export async function pipeline(folder) {
  title(2, 'Pipeline', 'tasks to three workers, results to one sink, ipc')
  const names = ['worker 1', 'worker 2', 'worker 3']
  const tasks = new zmq.Push({ sendHighWaterMark: 1 })
  const results = new zmq.Pull()
  await tasks.bind(`ipc://${folder}/tasks`)
  await results.bind(`ipc://${folder}/results`)
  let connections = 0
  const connected = new Promise((resolve) => {
    tasks.events.on('handshake', () => ++connections === names.length && resolve())
  })
  const workers = names.map((name) => {
    const task = { name, tasks: tasks.lastEndpoint, results: results.lastEndpoint }
    return new Actor('worker', task)
  })
  await Promise.all([connected, ...workers.map((worker) => worker.hear())])

  const limits = Array.from({ length: 30 }, (_, i) => 20_000 + 10_000 * i)
  const sending = (async () => {
    for (const limit of limits) await tasks.send(String(limit))
  })()
  const done = new Map(names.map((name) => [name, []]))
  let right = 0
  for (let i = 0; i < limits.length; i++) {
    const [name, limit, primes] = (await results.receive()).map(String)
    done.get(name).push(limit)
    if (Number(primes) === primesBelow(Number(limit))) right++
  }
  await sending
  for (const worker of workers) worker.tell('stop')
  await Promise.all(workers.map((worker) => worker.leave()))
  tasks.close()
  results.close()
  for (const [name, list] of done) {
    row(name, `${'■'.repeat(list.length).padEnd(16)} ${dim(`${list.length} tasks`)}`)
  }
  return verdict(right === limits.length, `${right} of ${limits.length} results are right`)
}

const forecast = [
  ['weather.oslo', '-3° snow'],
  ['weather.rome', '14° sun'],
  ['traffic.oslo', 'E18 closed'],
  ['weather.oslo', '-5° clear'],
  ['traffic.rome', 'as ever'],
  ['weather.rome', '12° rain'],
]

export async function publishing() {
  title(3, 'Publish and subscribe', 'topics chosen by their beginnings, tcp')
  const publisher = new zmq.XPublisher({ verbosity: 'allSubs' })
  await publisher.bind('tcp://127.0.0.1:*')
  const endpoint = publisher.lastEndpoint
  const prefixes = ['weather.', 'weather.oslo', 'traffic.']
  const listeners = prefixes.map((prefix) => new Actor('listener', { endpoint, prefix }))
  // Who publishes too early speaks to nobody: wait for the two subscriptions of each listener.
  for (let i = 0; i < 2 * listeners.length; i++) await publisher.receive()
  for (const message of forecast) await publisher.send(message)
  await publisher.send('goodbye')
  let good = true
  const seen = await Promise.all(listeners.map((listener) => listener.leave()))
  for (const [i, prefix] of prefixes.entries()) {
    const expected = forecast.filter(([topic]) => topic.startsWith(prefix))
    good &&= seen[i].length === expected.length
    row(prefix, seen[i].map((line) => line.slice(prefix.indexOf('.') + 1)).join(dim(' · ')))
  }
  publisher.close()
  return verdict(good, `each subscriber has what it asked for, and nothing else`)
}

export async function figures() {
  title(5, 'Figures', 'between two processes, 64 bytes, tcp; this machine, this moment')
  const echo = new Actor('echo')
  const stopwatch = new Actor('stopwatch', { endpoint: await echo.hear(), trips: 5000 })
  const times = await stopwatch.leave()
  echo.tell('stop')
  await echo.leave()
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(times, share).toFixed(0))
  row('round trip', `p50 ${p50} µs   p99 ${p99} µs   ${dim(`${number(times.length)} round trips`)}`)

  const drain = new Actor('drain')
  const endpoint = await drain.hear()
  const source = new Actor('source', { endpoint, size: 64, duration: 1000 })
  const [sent, { received, rate }] = await Promise.all([source.leave(), drain.leave()])
  row('throughput', `${number(rate)} messages/s   ${dim(`${number(received)} messages`)}`)
  return verdict(sent === received, `${number(received)} of ${number(sent)} messages arrived`)
}
