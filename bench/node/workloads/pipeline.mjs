// Push to Pull. `send` is single (every send awaited) or many (batches of 64, zerowire only);
// `receive` is for-await, single (every receive awaited) or many (zerowire only).
import { bindAddress, reportEndpoint, Window } from '../process.mjs'

const BATCH = 64

export async function far({ library }, options) {
  const push = new library.Push({ linger: 0 })
  await push.bind(bindAddress(options))
  reportEndpoint(push.lastEndpoint)
  const payload = Buffer.alloc(options.size, 'D')
  if (options.send === 'many') {
    const batch = Array.from({ length: BATCH }, () => payload)
    for (;;) await push.sendMany(batch)
  }
  for (;;) await push.send(payload)
}

const receivers = {
  async 'for-await'(pull, window) {
    for await (const [message] of pull) {
      if (message.length > 0 && window.add(1)) return
    }
  },
  async single(pull, window) {
    for (;;) {
      const [message] = await pull.receive()
      if (message.length > 0 && window.add(1)) return
    }
  },
  async many(pull, window) {
    for (;;) {
      let count = 0
      for (const [message] of await pull.receiveMany(256)) {
        if (message.length > 0) count++
      }
      if (window.add(count)) return
    }
  },
}

export async function near({ library }, options, other) {
  const pull = new library.Pull({ linger: 0 })
  pull.connect(other.endpoint)
  await pull.receive()
  const window = new Window(other, options)
  await receivers[options.receive](pull, window)
  return window.result(options.size)
}
