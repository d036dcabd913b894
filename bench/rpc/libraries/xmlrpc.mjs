// xmlrpc: XML-RPC over HTTP.
import { once } from 'node:events'
import xmlrpc from 'xmlrpc'
import { reportEndpoint } from '../../node/process.mjs'

export async function serve() {
  const server = xmlrpc.createServer({ host: '127.0.0.1', port: 0 })
  server.on('echo', (_error, [text], done) => done(null, text))
  await once(server.httpServer, 'listening')
  reportEndpoint(String(server.httpServer.address().port))
}

export async function connect(port) {
  const client = xmlrpc.createClient({ host: '127.0.0.1', port: Number(port) })
  return (payload) =>
    new Promise((resolve, reject) => {
      client.methodCall('echo', [payload.latin1Slice()], (error, reply) => {
        if (error) reject(error)
        else resolve(reply)
      })
    })
}
