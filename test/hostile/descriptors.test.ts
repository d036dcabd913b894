// A process without free file descriptors: accepting backs off instead of spinning, and recovers.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import * as zmq from '../../lib/index.js'
import { RawPeer } from './wire.js'

test('a listener that runs out of descriptors waits, and goes on when some are free', async () => {
  const program = fileURLToPath(new URL('descriptors.child.mjs', import.meta.url))
  const child = spawn('sh', ['-c', 'ulimit -n 60; exec "$0" "$1"', process.execPath, program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill())
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await lines.next()).value as string)

  const endpoint = (await next()) as string
  const crowd = await Promise.all(Array.from({ length: 80 }, () => RawPeer.connect(endpoint)))
  expect(await next()).toBe('accept:error')

  child.stdin.write('how busy?\n')
  let reading = await next()
  // A few more tries may fail in half a second; one that spins would print thousands.
  let errors = 0
  while (reading === 'accept:error') {
    errors++
    reading = await next()
  }
  expect(errors).toBeLessThan(100)
  expect(reading.busy).toBeLessThan(0.5)

  for (const peer of crowd) peer.socket.destroy()
  const push = new zmq.Push({ linger: 0, sendTimeout: 10_000 })
  onTestFinished(() => push.close())
  push.connect(endpoint)
  await push.send('room again')
  let message = await next()
  while (message === 'accept:error') message = await next()
  expect(message).toEqual({ message: 'room again' })
  child.stdin.end()
})
