// @grpc/grpc-js: a unary call, bytes as they are.
import grpc from '@grpc/grpc-js'
import { reportEndpoint } from '../../node/process.mjs'

const bytes = (value) => value
const echo = {
  path: '/bench.Echo/Echo',
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
}

export async function serve() {
  const server = new grpc.Server()
  server.addService({ echo }, { echo: (call, done) => done(null, call.request) })
  const credentials = grpc.ServerCredentials.createInsecure()
  server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
    if (error) throw error
    reportEndpoint(`127.0.0.1:${port}`)
  })
}

export async function connect(endpoint) {
  const Client = grpc.makeGenericClientConstructor({ echo }, 'Echo')
  const client = new Client(endpoint, grpc.credentials.createInsecure())
  return (payload) =>
    new Promise((resolve, reject) => {
      client.echo(payload, (error, reply) => (error ? reject(error) : resolve(reply)))
    })
}
