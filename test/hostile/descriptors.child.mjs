// A Pull in a process that has few file descriptors. Prints one JSON value per line: first its
// endpoint, then "accept:error" when that happens, the messages it receives as {message}, and
// {busy}: the share of a processor used in half a second, when asked by a line on stdin.
import * as zmq from '../../dist/esm/index.js'

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

const pull = new zmq.Pull()
pull.events.on('accept:error', () => print('accept:error'))
await pull.bind('tcp://127.0.0.1:*')
print(pull.lastEndpoint)

process.stdin.on('data', () => {
  const before = process.cpuUsage()
  setTimeout(() => {
    const { user, system } = process.cpuUsage(before)
    print({ busy: (user + system) / 500_000 })
  }, 500)
})
process.stdin.on('end', () => process.exit())

for await (const [message] of pull) print({ message: String(message) })
