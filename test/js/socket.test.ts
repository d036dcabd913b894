import { describe, expect, test } from 'vitest'
import { Dealer, Pair, Pull, Push, Reply } from '../../lib/index.js'
import { endpoint, link, own, texts } from './support.js'

const refused = (code: string) => expect.objectContaining({ name: 'ZmqError', code })

describe('bind', () => {
  test('resolves to the endpoint with its wildcards resolved', async () => {
    const [socket] = own(new Dealer())
    expect(await socket.bind('tcp://127.0.0.1:*')).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/)
    expect(await socket.bind('ipc://*')).toMatch(/^ipc:\/\/.+/)
    expect(socket.bindSync('tcp://127.0.0.1:0')).not.toMatch(/:0$/)
  })

  test('rejects an endpoint in use, naming it', async () => {
    const [one, two] = own(new Dealer(), new Dealer())
    for (const transport of ['inproc', 'tcp', 'ipc'] as const) {
      const address = await one.bind(endpoint(transport))
      await expect(two.bind(address)).rejects.toEqual(refused('EADDRINUSE'))
      expect(() => two.bindSync(address)).toThrow(refused('EADDRINUSE'))
      await expect(two.bind(address)).rejects.toMatchObject({ address })
    }
  })

  test.each([
    ['no endpoint at all', 'EINVAL'],
    ['tcp://127.0.0.1', 'EINVAL'],
    ['tcp://127.0.0.1:70000', 'EINVAL'],
    ['tcp://127.0.0.1:port', 'EINVAL'],
    ['', 'EINVAL'],
    ['smoke://signals', 'EPROTONOSUPPORT'],
  ])('rejects %j with %s', async (address, code) => {
    const [socket] = own(new Dealer())
    await expect(socket.bind(address)).rejects.toEqual(refused(code))
    expect(() => socket.connect(address)).toThrow(refused(code))
  })

  test.each([5, null, undefined, {}])('refuses %s as an address', async (address) => {
    const [socket] = own(new Dealer())
    const error = expect.objectContaining({ name: 'TypeError' })
    await expect(socket.bind(address as never)).rejects.toEqual(error)
    await expect(socket.unbind(address as never)).rejects.toEqual(error)
    expect(() => socket.connect(address as never)).toThrow(error)
    expect(() => socket.disconnect(address as never)).toThrow(error)
  })
})

describe('unbind and disconnect', () => {
  test.each(['inproc', 'tcp', 'ipc'] as const)('free an endpoint of %s', async (transport) => {
    const [one, two] = own(new Dealer(), new Dealer())
    const address = await one.bind(endpoint(transport))
    await one.unbind(address)
    await two.bind(address)
    two.unbindSync(address)
    one.bindSync(address)
  })

  test('reject what is not there with ENOENT', async () => {
    const [socket] = own(new Dealer())
    for (const address of [endpoint(), 'tcp://127.0.0.1:5555']) {
      await expect(socket.unbind(address)).rejects.toEqual(refused('ENOENT'))
      expect(() => socket.unbindSync(address)).toThrow(refused('ENOENT'))
      expect(() => socket.disconnect(address)).toThrow(refused('ENOENT'))
    }
  })
})

describe('close', () => {
  test('may be called repeatedly', () => {
    const socket = new Dealer()
    socket.close()
    socket.close()
    expect(socket.closed).toBe(true)
    expect([socket.readable, socket.writable]).toEqual([false, false])
  })

  test('rejects what waits with EAGAIN, and ends iterations', async () => {
    const socket = new Pair()
    const waiting = [socket.receive(), socket.receiveMany(), socket.send('x'), socket.send('y')]
    const step = socket[Symbol.asyncIterator]().next()
    socket.close()
    for (const operation of waiting) await expect(operation).rejects.toEqual(refused('EAGAIN'))
    expect(await step).toEqual({ value: undefined, done: true })
  })

  test('makes every later operation fail with EBADF', async () => {
    const socket = new Dealer()
    socket.close()
    const attempts = [
      socket.send('x'),
      socket.sendMany(['x']),
      socket.receive(),
      socket.receiveMany(),
      socket.bind(endpoint()),
      socket.unbind(endpoint()),
    ]
    for (const attempt of attempts) await expect(attempt).rejects.toEqual(refused('EBADF'))
    expect(() => socket.connect(endpoint())).toThrow(refused('EBADF'))
    expect(() => socket.disconnect(endpoint())).toThrow(refused('EBADF'))
    expect(() => socket.events).toThrow(refused('EBADF'))
    expect(() => socket.context).toThrow(refused('EBADF'))
  })

  test('still delivers what was sent', async () => {
    for (const transport of ['inproc', 'tcp', 'ipc'] as const) {
      const [push, pull] = own(new Push(), new Pull())
      await link(pull, push, transport)
      const messages = Array.from({ length: 500 }, (_, i) => `${i}`)
      const sent = push.sendMany(messages)
      await sent
      push.close()
      for (const text of messages) expect(texts(await pull.receive())).toEqual([text])
    }
  })

  test('frees the endpoint', async () => {
    const address = endpoint()
    for (let i = 0; i < 20; i++) {
      const socket = new Reply()
      await socket.bind(address)
      socket.close()
    }
  })
})

describe('disposal', () => {
  test('closes the socket', async () => {
    const one = new Dealer()
    one[Symbol.dispose]()
    expect(one.closed).toBe(true)
    const two = new Dealer()
    await two[Symbol.asyncDispose]()
    expect(two.closed).toBe(true)
  })
})

test('readable and writable tell what would complete at once', async () => {
  const [push, pull] = own(new Push(), new Pull())
  expect([push.readable, push.writable]).toEqual([false, false])
  await link(pull, push)
  expect([push.writable, pull.writable, pull.readable]).toEqual([true, false, false])
  const received = pull.receive()
  await push.sendMany(['a', 'b'])
  await received
  expect(pull.readable).toBe(true)
})
