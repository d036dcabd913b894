// What else runs while messages come in at full rate: Push to Pull by `for await`, with an HTTP
// server in the receiving program that is asked every 20 ms. p50 and p99 are those of the delay of
// the event loop.
import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Window } from '../process.mjs'
import { far as stream } from './pipeline.mjs'

const MiB = 2 ** 20

export const far = stream

export async function near({ library }, options, other) {
  const server = createServer((_request, response) => response.end('alive'))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}/`
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let answers = 0
  let memory = 0
  const ask = setInterval(async () => {
    if ((await (await fetch(url)).text()) === 'alive') answers++
  }, 20)

  const pull = new library.Pull({ linger: 0 })
  pull.connect(other.endpoint)
  const window = new Window(other, options)
  for await (const [message] of pull) {
    if (message.length > 0 && window.add(1)) break
    if (!window.isOpen || memory > 0) continue
    answers = 0
    memory = process.memoryUsage().rss
    delay.enable()
  }
  clearInterval(ask)
  return {
    ...window.result(options.size),
    p50: delay.percentile(50) / 1e3,
    p99: delay.percentile(99) / 1e3,
    answersPerSecond: answers / options.seconds,
    memoryMiB: memory / MiB,
    memoryGrowthMiB: (process.memoryUsage().rss - memory) / MiB,
  }
}
