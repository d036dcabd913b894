// fastify, called by undici: HTTP/1.1 with connections kept open and pipelined.
import fastify from 'fastify'
import { Pool } from 'undici'
import { reportEndpoint } from '../../node/process.mjs'

const type = 'application/octet-stream'

export async function serve() {
  const server = fastify()
  server.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })
  server.post('/echo', (request, reply) => reply.type(type).send(request.body))
  reportEndpoint(await server.listen({ host: '127.0.0.1', port: 0 }))
}

export async function connect(origin) {
  const pool = new Pool(origin, { connections: 10, pipelining: 10 })
  const options = { path: '/echo', method: 'POST', headers: { 'content-type': type } }
  return async (payload) => {
    const { body } = await pool.request({ ...options, body: payload })
    return Buffer.from(await body.arrayBuffer())
  }
}
