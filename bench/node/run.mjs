// One run of one workload: `node bench/node/run.mjs pipeline --peer zeromq --size 1024`.
// Starts its far side as a second process, prints one line of JSON.
import { loadPeer } from './peers.mjs'
import { parseArguments, startFar } from './process.mjs'

const argv = process.argv.slice(2)
const { workload, options } = parseArguments(argv)
if (workload === 'net') options.peer = 'net'
const workloads = ['pipeline', 'request', 'outstanding', 'publish', 'net']

async function main() {
  if (!workloads.includes(workload)) throw new Error(`workloads: ${workloads.join(', ')}`)
  const { near, far } = await import(`./workloads/${workload}.mjs`)
  const peer = await loadPeer(options.peer)
  if (options.role === 'far') {
    await far(peer, options)
    return
  }
  const other = await startFar(argv)
  const { transport, size, count, send, receive } = options
  const result = await Promise.race([near(peer, options, other), other.ended])
  other.stop()
  const { version } = peer
  const head = { peer: options.peer, version, workload, transport, size, count, send, receive }
  process.stdout.write(`${JSON.stringify({ ...head, ...result })}\n`)
}

const deadline = setTimeout(() => {
  process.stdout.write('{"error":"deadline"}\n')
  process.exit(3)
}, options.deadline * 1e3)
deadline.unref()

main().then(
  () => options.role === 'near' && process.exit(0),
  (error) => {
    const line = options.role === 'near' ? JSON.stringify({ error: error.message }) : ''
    process.stdout.write(`${line}\n`)
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  },
)
