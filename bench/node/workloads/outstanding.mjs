// Dealer to Router with `count` requests outstanding.
import { bindAddress, latency, reportEndpoint, Window } from '../process.mjs'

export async function far({ library }, options) {
  const router = new library.Router({ linger: 0 })
  await router.bind(bindAddress(options))
  reportEndpoint(router.lastEndpoint)
  for await (const message of router) await router.send(message)
}

export async function near({ library }, options, other) {
  const dealer = new library.Dealer({ linger: 0 })
  dealer.connect(other.endpoint)
  const payload = () => {
    const buffer = Buffer.allocUnsafe(Math.max(options.size, 8))
    buffer.writeDoubleLE(performance.now())
    return buffer
  }
  for (let i = 0; i < options.count; i++) await dealer.send(payload())
  const window = new Window(other, options)
  const samples = []
  for await (const [message] of dealer) {
    if (window.isOpen) samples.push(performance.now() - message.readDoubleLE())
    if (window.add(1)) break
    await dealer.send(payload())
  }
  return { ...window.result(options.size), ...latency(samples) }
}
