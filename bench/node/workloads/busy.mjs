// A receiver whose JavaScript is busy: Push to Pull at a steady 100,000 messages/s while the
// receiving program computes for `count` percent of the time, in slices of 10 ms. What arrives
// meanwhile waits in the queues of the IO threads.
import { setTimeout as sleep } from 'node:timers/promises'
import { bindAddress, reportEndpoint, Window } from '../process.mjs'

const RATE = 100_000
const SLICE = 10

export async function far({ library }, options) {
  const push = new library.Push({ linger: 0, sendHighWaterMark: 1_000_000 })
  await push.bind(bindAddress(options))
  reportEndpoint(push.lastEndpoint)
  const payload = Buffer.alloc(options.size, 'D')
  await push.send(payload) // waits for the receiver
  const started = performance.now()
  for (let sent = 0; ; await sleep(1)) {
    const due = ((performance.now() - started) * RATE) / 1e3
    for (; sent < due; sent++) await push.send(payload)
  }
}

/** A computation of so many milliseconds. */
function compute(milliseconds) {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

export async function near({ library }, options, other) {
  const pull = new library.Pull({ linger: 0, receiveHighWaterMark: 1_000_000 })
  pull.connect(other.endpoint)
  await pull.receive()
  const window = new Window(other, options)
  const pause = (SLICE * (100 - options.count)) / Math.max(options.count, 1)
  let next = performance.now() + pause
  for await (const [message] of pull) {
    if (message.length > 0 && window.add(1)) break
    if (options.count === 0 || performance.now() < next) continue
    compute(SLICE)
    next = performance.now() + pause
  }
  return window.result(options.size)
}
