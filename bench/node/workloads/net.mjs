// The floor of a round trip in Node: ping-pong over a bare `net` socket.
import { connect, createServer } from 'node:net'
import { latency, reportEndpoint, Window } from '../process.mjs'

export async function far() {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('data', (data) => socket.write(data))
    socket.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1', () => reportEndpoint(String(server.address().port)))
}

export function near(_peer, options, other) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(other.endpoint), noDelay: true })
    const payload = Buffer.alloc(options.size, 'D')
    const window = new Window(other, options)
    const samples = []
    let start = 0
    let missing = options.size
    const send = () => {
      start = performance.now()
      socket.write(payload)
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('data', (data) => {
      missing -= data.length
      if (missing > 0) return
      missing = options.size
      const now = performance.now()
      if (window.isOpen) samples.push(now - start)
      window.count++
      if (window.look(now)) resolve({ ...window.result(options.size), ...latency(samples) })
      else send()
    })
  })
}
