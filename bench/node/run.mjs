// One run of one workload: `node bench/node/run.mjs pipeline --peer zeromq --size 1024`.
// Starts its far side as a second process, prints one line of JSON.
import { runNear } from './near.mjs'
import { loadPeer } from './peers.mjs'
import { parseArguments } from './process.mjs'

const argv = process.argv.slice(2)
const { workload, options } = parseArguments(argv)
if (workload === 'net') options.peer = 'net'
const workloads = ['pipeline', 'request', 'outstanding', 'publish', 'busy', 'flood', 'net']

await runNear(import.meta.url, argv, options, async (startFar) => {
  if (!workloads.includes(workload)) throw new Error(`workloads: ${workloads.join(', ')}`)
  const { near, far } = await import(`./workloads/${workload}.mjs`)
  const peer = await loadPeer(options.peer)
  if (options.role === 'far') return far(peer, options)
  const other = await startFar()
  const { transport, size, count, send, receive } = options
  const result = await Promise.race([near(peer, options, other), other.ended])
  other.stop()
  const { version } = peer
  return { peer: options.peer, version, workload, transport, size, count, send, receive, ...result }
})
