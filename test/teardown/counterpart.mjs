// The other end of a socket under test, in a process of its own so that it can be killed.
// Usage: node counterpart.mjs <mode>; prints the endpoint it listens on.
//   answers  completes the handshake as a DEALER and reads what comes
//   silent   accepts and says nothing
//   stalls   completes the handshake and reads nothing more
//   halves   completes the handshake and sends the first part of a message that never ends
//   full     never accepts: the parent fills the backlog, and further connects stay under way
import { createServer } from 'node:net'

const mode = process.argv[2]

const greeting = Buffer.alloc(64)
greeting.set([0xff])
greeting.set([0x7f, 3, 1], 9)
greeting.write('NULL', 12)
const ready = Buffer.from('\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER', 'latin1')
// What we get: a greeting, and a READY that has an (empty) Identity too.
const theirs = 64 + ready.length + '\x08Identity\0\0\0\0'.length
const firstPart = Buffer.from('\x01\x04head', 'latin1')

function serve(socket) {
  socket.on('error', () => {})
  if (mode === 'silent') return
  socket.write(Buffer.concat([greeting, ready]))
  let received = 0
  socket.on('data', (data) => {
    const shaken = received >= theirs
    received += data.length
    if (shaken || received < theirs) return
    if (mode === 'stalls') socket.pause()
    if (mode === 'halves') socket.write(firstPart)
  })
}

const server = createServer(serve)
const backlog = mode === 'full' ? 1 : 511
server.listen({ port: 0, host: '127.0.0.1', backlog }, () => {
  process.stdout.write(`tcp://127.0.0.1:${server.address().port}\n`, () => {
    if (mode === 'full') process.kill(process.pid, 'SIGSTOP')
  })
})
process.stdin.on('close', () => process.exit()).resume()
