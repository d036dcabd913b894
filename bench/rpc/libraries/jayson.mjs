// jayson: JSON-RPC over TCP.
import jayson from 'jayson'
import { reportEndpoint } from '../../node/process.mjs'

export async function serve() {
  const server = new jayson.Server({ echo: ([text], done) => done(null, text) }).tcp()
  server.listen(0, '127.0.0.1', () => reportEndpoint(String(server.address().port)))
}

export async function connect(port) {
  const client = jayson.Client.tcp({ host: '127.0.0.1', port: Number(port) })
  return (payload) =>
    new Promise((resolve, reject) => {
      client.request('echo', [payload.latin1Slice()], (error, reply) => {
        if (error) reject(error)
        else resolve(reply.result)
      })
    })
}
