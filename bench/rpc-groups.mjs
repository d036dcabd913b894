// RPC libraries of Node.js and Python: an echo service called by one client.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bytes } from './table.mjs'

const node = fileURLToPath(new URL('rpc/run.mjs', import.meta.url))
const python = fileURLToPath(new URL('rpc/run.py', import.meta.url))
/** Debian's, which has its packages. */
const interpreter = '/usr/bin/python3'

const nodeLibraries = {
  zerowire: 'zerowire',
  'zeromq.js': 'zeromq',
  ws: 'ws',
  'fastify, undici': 'fastify',
  '@grpc/grpc-js': 'grpc',
  jayson: 'jayson',
  'xmlrpc (npm)': 'xmlrpc',
}
/** What is shown: [library, Debian's Python module]. */
const pythonLibraries = {
  pyzmq: ['pyzmq', 'zmq'],
  Pyro4: ['pyro', 'Pyro4'],
  'xmlrpc (Python)': ['xmlrpc', ''],
  jsonrpclib: ['jsonrpclib', 'jsonrpclib'],
}

const isThere = (module) => existsSync(`/usr/lib/python3/dist-packages/${module}`)

function entries(size, count) {
  const flags = ['--size', String(size), '--count', String(count)]
  flags.push('--warm-up', '0.5', '--seconds', '0.4')
  const all = {}
  for (const [name, library] of Object.entries(nodeLibraries)) {
    all[name] = { command: [process.execPath, node, library, ...flags], env: {} }
  }
  for (const [name, [library, module]] of Object.entries(pythonLibraries)) {
    if (!isThere(module)) continue
    all[name] = { command: [interpreter, python, library, ...flags], env: {} }
  }
  return all
}

export function rpcGroups(quick) {
  const sizes = quick ? [64] : [64, 8192]
  const group = (count, metric, title, name) => ({
    title,
    metric,
    reference: 'zeromq.js',
    runs: quick ? 1 : 3,
    chart: { name, metrics: [metric] },
    rows: sizes.map((size) => ({ label: bytes(size), entries: entries(size, count) })),
  })
  for (const [name, [, module]] of Object.entries(pythonLibraries)) {
    if (!isThere(module)) process.stdout.write(`${name} is left out: it is not installed\n`)
  }
  return [
    group(1, 'p50', 'Remote calls, one at a time: latency', 'rpc-latency'),
    group(100, 'rate', 'Remote calls, 100 under way: calls per second', 'rpc-throughput'),
  ]
}
