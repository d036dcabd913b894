// Publisher (delivering all: noDrop) to `count` Subscribers in one process. zeromq.js rejects with
// EAGAIN while a subscriber's queue is full; its publisher then lets the event loop turn.
import { setImmediate as turn } from 'node:timers/promises'
import { bindAddress, reportEndpoint, Window } from '../process.mjs'

export async function far({ library }, options) {
  const publisher = new library.Publisher({ linger: 0, noDrop: true })
  await publisher.bind(bindAddress(options))
  reportEndpoint(publisher.lastEndpoint)
  const payload = Buffer.alloc(options.size, 'D')
  for (;;) {
    try {
      await publisher.send(payload)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
      await turn()
    }
  }
}

export async function near({ library }, options, other) {
  const subscribers = []
  for (let i = 0; i < options.count; i++) {
    const subscriber = new library.Subscriber({ linger: 0 })
    subscriber.subscribe()
    subscriber.connect(other.endpoint)
    subscribers.push(subscriber)
  }
  await Promise.all(subscribers.map((subscriber) => subscriber.receive()))
  const window = new Window(other, options)
  await Promise.race(
    subscribers.map(async (subscriber) => {
      for await (const [message] of subscriber) {
        if (message.length > 0 && window.add(1)) return
      }
    }),
  )
  return window.result(options.size)
}
