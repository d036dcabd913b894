// Calls over ØMQ sockets: Request and Reply for one call at a time, Dealer and Router for more.
import { reportEndpoint } from '../node/process.mjs'
import { inOrder } from './in-order.mjs'

export async function serve({ Reply, Router }, { count }) {
  const socket = count === 1 ? new Reply() : new Router()
  await socket.bind('tcp://127.0.0.1:*')
  reportEndpoint(socket.lastEndpoint)
  for await (const message of socket) await socket.send(message)
}

/** `queues`: sends may be called without waiting for the one before. */
export async function connect({ Request, Dealer }, endpoint, { count }, queues) {
  if (count > 1) return dealer(Dealer, endpoint, queues)
  const request = new Request({ linger: 0 })
  request.connect(endpoint)
  return async (payload) => {
    await request.send(payload)
    return (await request.receive())[0]
  }
}

function dealer(Dealer, endpoint, queues) {
  const socket = new Dealer({ linger: 0 })
  socket.connect(endpoint)
  let sent = Promise.resolve()
  const { call, reply } = inOrder((payload) => {
    if (queues) socket.send(payload)
    else sent = sent.then(() => socket.send(payload))
  })
  const receive = async () => {
    for await (const [data] of socket) reply(data)
  }
  receive()
  return call
}
