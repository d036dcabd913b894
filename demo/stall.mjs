// A server whose JavaScript is busy for a second while its clients go on sending; and the same
// with a server that does its input and output on the thread that is busy.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Actor } from './actor.mjs'
import { dim, number, print, row, sparkline, title, verdict, yellow } from './terminal.mjs'

const senders = 3
const duration = 3000
const busyAfter = 1000
const busy = 1000
const tenths = duration / 100

/** What happened in each tenth of a second, all clients together. */
const total = (lists) =>
  Array.from({ length: tenths }, (_, i) => lists.reduce((sum, list) => sum + (list[i] ?? 0), 0))

const largest = (values) => Math.max(...values)

function axis() {
  const marks = ['0 s', '1 s', '2 s'].map((mark) => `│${mark}`.padEnd(10)).join('')
  row('', dim(marks))
}

export async function stall() {
  title(
    4,
    'A busy server',
    `${senders} senders; from 1 s to 2 s the server computes, and only that`,
  )
  const server = new Actor('server', { senders, busyAfter, busy })
  const endpoint = await server.hear()
  const clients = Array.from({ length: senders }, (_, index) => {
    return new Actor('sender', { endpoint, index })
  })
  await Promise.all(clients.map((client) => client.hear()))
  const start = Date.now() + 50
  server.tell({ start })
  for (const client of clients) client.tell({ start, duration })
  const reports = await Promise.all(clients.map((client) => client.leave()))
  const { handled, wrong, received } = await server.leave()

  const sent = total(reports.map((report) => report.sent))
  axis()
  row('sent', sparkline(sent))
  row('handled', yellow(sparkline(total([handled]), 3 * largest(sent))))
  const meanwhile = sent.slice(10, 20).reduce((a, b) => a + b)
  const slowest = largest(reports.map((report) => report.slowest))
  row('', dim(`${number(meanwhile)} messages were sent while the server was busy,`))
  row('', dim(`none of them took longer than ${number(slowest)} ms to send`))
  const all = reports.reduce((sum, report) => sum + report.total, 0)
  const arrived = received.reduce((a, b) => a + b)
  const good = arrived === all && wrong === 0
  return verdict(good, `${number(arrived)} of ${number(all)} messages arrived, in order`)
}

/** Starts Python's server, busy from `busyFrom` (ms) on. Undefined where that does not work. */
async function startPython(busyFrom) {
  const script = fileURLToPath(new URL('rpc_server.py', import.meta.url))
  const times = [busyFrom / 1000, busy / 1000].map(String)
  const python = spawn('python3', [script, ...times], { stdio: ['pipe', 'pipe', 'ignore'] })
  const end = once(python, 'close').catch(() => {})
  const port = await Promise.race([once(python.stdout, 'data'), end.then(() => undefined)])
  if (port === undefined) return undefined
  const stop = () => {
    python.stdin.end()
    return end
  }
  return { url: `http://127.0.0.1:${String(port).trim()}/RPC2`, stop }
}

export async function contrast() {
  print()
  const callers = Array.from({ length: senders }, () => new Actor('caller'))
  await Promise.all(callers.map((caller) => caller.hear()))
  const start = Date.now() + 500
  const python = await startPython(start + busyAfter)
  if (!python) {
    for (const caller of callers) caller.dismiss()
    return print(dim("   (no python3 here: Python's SimpleXMLRPCServer is left out)"))
  }
  print(
    `   ${dim("The same with Python's SimpleXMLRPCServer, which is busy with its only thread:")}`,
  )
  for (const caller of callers) caller.tell({ start, duration, url: python.url })
  const reports = await Promise.all(callers.map((caller) => caller.leave()))
  await python.stop()

  axis()
  row('calls', sparkline(total(reports.map((report) => report.answered))))
  const slowest = largest(reports.map((report) => report.slowest))
  row('', dim(`every client stood still: the longest call took ${number(slowest)} ms`))
}
