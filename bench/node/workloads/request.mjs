// Request to Reply, one round trip after the other.
import { bindAddress, latency, reportEndpoint, Window } from '../process.mjs'

export async function far({ library }, options) {
  const reply = new library.Reply({ linger: 0 })
  await reply.bind(bindAddress(options))
  reportEndpoint(reply.lastEndpoint)
  for await (const message of reply) await reply.send(message)
}

export async function near({ library }, options, other) {
  const request = new library.Request({ linger: 0 })
  request.connect(other.endpoint)
  const payload = Buffer.alloc(options.size, 'D')
  const trip = async () => {
    await request.send(payload)
    await request.receive()
  }
  await trip()
  const window = new Window(other, options)
  const samples = []
  for (let start = performance.now(), over = false; !over; ) {
    await trip()
    const now = performance.now()
    if (window.isOpen) samples.push(now - start)
    window.count++
    over = window.look(now)
    start = performance.now()
  }
  return { ...window.result(options.size), ...latency(samples) }
}
