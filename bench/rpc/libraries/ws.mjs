// ws: binary messages over a WebSocket, answered in order.
import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'
import { reportEndpoint } from '../../node/process.mjs'
import { inOrder } from '../in-order.mjs'

const settings = { perMessageDeflate: false }

export async function serve() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...settings })
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  await once(server, 'listening')
  reportEndpoint(`ws://127.0.0.1:${server.address().port}`)
}

export async function connect(endpoint) {
  const socket = new WebSocket(endpoint, settings)
  await once(socket, 'open')
  const { call, reply } = inOrder((payload) => socket.send(payload))
  socket.on('message', reply)
  return call
}
