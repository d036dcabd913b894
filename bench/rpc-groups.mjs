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

/**
 * Seconds until calls, one at a time, are through with the compiler; with many under way it is two
 * at most. The other libraries take less than half a second.
 */
const warmUps = { fastify: 2, jayson: 2, grpc: 4, xmlrpc: 4 }

const isThere = (module) => existsSync(`/usr/lib/python3/dist-packages/${module}`)

function entries(size, count) {
  const entry = (program, library, warmUp = 0.5) => ({
    command: [
      ...[...program, library, '--size', String(size), '--count', String(count)],
      ...['--warm-up', String(warmUp), '--seconds', '0.4'],
    ],
    env: {},
  })
  const all = {}
  for (const [name, library] of Object.entries(nodeLibraries)) {
    const warmUp = Math.min(warmUps[library] ?? 0.5, count === 1 ? 4 : 2)
    all[name] = entry([process.execPath, node], library, warmUp)
  }
  for (const [name, [library, module]] of Object.entries(pythonLibraries)) {
    if (isThere(module)) all[name] = entry([interpreter, python], library)
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
