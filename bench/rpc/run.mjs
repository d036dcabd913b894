// One run of one RPC library: `node bench/rpc/run.mjs grpc --size 64 --count 100`. Calls an echo
// service in a second process, `count` calls under way at any time; prints one line of JSON.
import { runNear } from '../node/near.mjs'
import { latency, parseArguments, Window } from '../node/process.mjs'

const argv = process.argv.slice(2)
const { workload: name, options } = parseArguments(argv)

async function near(library, other) {
  const call = await library.connect(other.endpoint, options)
  const payload = Buffer.alloc(options.size, 'D')
  const reply = await call(payload)
  if (reply.length !== payload.length) throw new Error(`${reply.length} bytes came back`)
  const window = new Window(other, { ...options, stride: options.count === 1 ? 1 : 16 })
  const samples = []
  let over = false
  const worker = async () => {
    for (let start = performance.now(); !over; ) {
      await call(payload)
      const now = performance.now()
      if (window.isOpen) samples.push(now - start)
      over ||= window.add(1)
      start = now
    }
  }
  await Promise.race(Array.from({ length: options.count }, worker))
  return { ...window.result(options.size), ...latency(samples) }
}

await runNear(import.meta.url, argv, options, async (startFar) => {
  const library = await import(`./libraries/${name}.mjs`)
  if (options.role === 'far') return library.serve(options)
  const other = await startFar()
  const result = await Promise.race([near(library, other), other.ended])
  other.stop()
  return { library: name, size: options.size, count: options.count, ...result }
})
