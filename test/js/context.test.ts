import { describe, expect, test } from 'vitest'
import { Context, context, Pair, Pull, Push } from '../../lib/index.js'
import { endpoint, link, own, texts } from './support.js'

const refused = (code: string) => expect.objectContaining({ code })

describe('Context', () => {
  test('has options', async () => {
    const own = new Context({ ioThreads: 2, maxSockets: 10, ipv6: true, blocky: false })
    expect([own.ioThreads, own.maxSockets, own.ipv6, own.blocky]).toEqual([2, 10, true, false])
    own.spin = 5
    expect(own.spin).toBe(5)
    own.maxSockets = 20
    expect(own.maxSockets).toBe(20)
    expect(own.maxSocketsLimit).toBe(65535)
    await own.close()
  })

  test('starts with those of libzmq', () => {
    expect([context.ioThreads, context.ipv6, context.blocky]).toEqual([1, false, true])
    expect(context.maxSockets).toBe(1023)
    expect(context.maxMessageSize).toBe(2 ** 31 - 1)
  })

  test.each([
    ['ioThreads', -1],
    ['ioThreads', 65],
    ['ioThreads', 1.5],
    ['spin', 1001],
    ['maxSockets', 0],
    ['maxSockets', 65536],
    ['maxSockets', Number.NaN],
  ])('refuses %s = %d', (name, value) => {
    expect(() => new Context({ [name]: value })).toThrow(RangeError)
    expect(() => Reflect.set(new Context(), name, value)).toThrow(RangeError)
  })

  test.each([
    ['ioThreads', '1'],
    ['maxSockets', null],
    ['ipv6', 1],
    ['blocky', 'no'],
  ])('refuses %s = %j', (name, value) => {
    expect(() => new Context({ [name]: value })).toThrow(TypeError)
  })

  test.each(['threadPriority', 'threadSchedulingPolicy', 'maxMessageSize'])(
    'does not support %s',
    (name) => {
      expect(() => new Context({ [name]: 1 })).toThrow(refused('ENOTSUP'))
    },
  )

  test('refuses unknown options, and no options', () => {
    expect(() => new Context({ ioThread: 1 } as never)).toThrow(TypeError)
    expect(() => new Context(5 as never)).toThrow(TypeError)
    expect(() => new Pair({ context: {} as never })).toThrow(TypeError)
  })

  test('gives its defaults to new sockets', () => {
    const mine = new Context({ ipv6: true, blocky: false })
    const [socket] = own(new Pair({ context: mine }))
    expect(socket.context).toBe(mine)
    expect([socket.ipv6, socket.linger]).toEqual([true, 0])
  })

  test('limits the number of sockets', async () => {
    const mine = new Context({ maxSockets: 2 })
    const sockets = [new Pair({ context: mine }), new Pair({ context: mine })]
    expect(() => new Pair({ context: mine })).toThrow(refused('EMFILE'))
    sockets[0]?.close()
    sockets[0] = new Pair({ context: mine })
    await mine.close()
  })

  test('has inproc names of its own', async () => {
    const mine = new Context()
    const address = endpoint()
    const [here, there] = own(new Pair({ context: mine }), new Pair())
    await here.bind(address)
    await there.bind(address)
    await mine.close()
  })
})

describe('close', () => {
  test('closes the sockets and delivers what they sent', async () => {
    const mine = new Context()
    const [pull] = own(new Pull())
    const push = new Push({ context: mine })
    await link(pull, push, 'tcp')
    await push.sendMany(['a', 'b', 'c'])
    const waiting = new Pull({ context: mine }).receive()
    const rejected = expect(waiting).rejects.toEqual(refused('EAGAIN'))
    await mine.close()
    await rejected
    expect(push.closed).toBe(true)
    expect((await pull.receive()).concat(await pull.receive()).map(String)).toEqual(['a', 'b'])
  })

  test('allows no new sockets', async () => {
    const mine = new Context()
    await mine.close()
    await mine.close()
    expect(() => new Pair({ context: mine })).toThrow(refused('EFAULT'))
    expect(() => mine.ioThreads).toThrow(refused('EFAULT'))
  })

  test('is what disposal does', async () => {
    const mine = new Context()
    const socket = new Pair({ context: mine })
    await mine[Symbol.asyncDispose]()
    expect(socket.closed).toBe(true)
  })

  test('leaves the default context usable', async () => {
    const socket = new Pair()
    await context.close()
    expect(socket.closed).toBe(true)
    const [one, two] = own(new Pair(), new Pair())
    await link(one, two)
    await one.send('still here')
    expect(texts(await two.receive())).toEqual(['still here'])
  })
})
