import { describe, expect, test } from 'vitest'
import * as zerowire from '../../lib/index.js'
import { endpoint, link, own, texts, transports, until } from './support.js'

const { Dealer, Pair, Publisher, Pull, Push, Reply, Request, Router, Subscriber } = zerowire
const { XPublisher, XSubscriber } = zerowire

const classes = {
  Pair: [Pair, true, true],
  Publisher: [Publisher, true, false],
  Subscriber: [Subscriber, false, true],
  Request: [Request, true, true],
  Reply: [Reply, true, true],
  Dealer: [Dealer, true, true],
  Router: [Router, true, true],
  Pull: [Pull, false, true],
  Push: [Push, true, false],
  XPublisher: [XPublisher, true, true],
  XSubscriber: [XSubscriber, true, true],
} as const

describe.each(Object.entries(classes))('%s', (_name, [Class, sends, receives]) => {
  test('has the methods of what it can do, and no others', () => {
    const [socket] = own(new Class())
    for (const name of ['send', 'sendMany', 'sendTimeout']) expect(name in socket).toBe(sends)
    for (const name of ['receive', 'receiveMany', 'batches', Symbol.asyncIterator]) {
      expect(name in socket).toBe(receives)
    }
  })

  test('is sealed, and shows nothing of its inside', () => {
    const [socket] = own(new Class())
    expect(Class.length).toBe(0)
    expect(Object.keys(socket)).toEqual([])
    expect(() => Object.assign(socket, { lingr: 1 })).toThrow(TypeError)
  })

  test('is an instance of Socket, with a context and a type', () => {
    const [socket] = own(new Class())
    expect(socket).toBeInstanceOf(zerowire.Socket)
    expect(socket.context).toBe(zerowire.context)
    expect(socket.type).toBe(Object.keys(classes).indexOf(_name))
    expect(socket.closed).toBe(false)
  })

  test('can be bound and connected', async () => {
    const [socket] = own(new Class())
    const address = await socket.bind(endpoint())
    expect(address).toMatch(/^inproc:/)
    expect(socket.lastEndpoint).toBe(address)
    await socket.unbind(address)
    const other = endpoint()
    socket.connect(other)
    expect(socket.lastEndpoint).toBe(other)
    socket.disconnect(other)
  })
})

test('classes can be extended', () => {
  class Greeter extends Pair {
    greet() {
      return `hello from type ${this.type}`
    }
  }
  const [socket] = own(new Greeter({ linger: 0 }))
  expect(socket.greet()).toBe('hello from type 0')
})

test('Socket itself cannot be created', () => {
  expect(() => Reflect.construct(zerowire.Socket, [5])).toThrow(TypeError)
})

describe.each(transports)('over %s', (transport) => {
  test('Request and Reply talk in turn', async () => {
    const [client, server] = own(new Request(), new Reply())
    await link(server, client, transport)
    for (const text of ['one', 'two', 'three']) {
      await client.send(text)
      expect(texts(await server.receive())).toEqual([text])
      await server.send([text, text])
      expect(texts(await client.receive())).toEqual([text, text])
    }
  })

  test('a Router serves several Dealers by name', async () => {
    const [router, one, two] = own(
      new Router(),
      new Dealer({ routingId: 'one' }),
      new Dealer({ routingId: 'two' }),
    )
    const address = await link(router, one, transport)
    two.connect(address)
    await one.send(['', 'from one'])
    await two.send(['', 'from two'])
    const requests = [await router.receive(), await router.receive()].map(texts)
    expect(requests.sort()).toEqual([
      ['one', '', 'from one'],
      ['two', '', 'from two'],
    ])
    await router.send(['two', 'for two'])
    await router.send(['one', 'for one'])
    expect(texts(await one.receive())).toEqual(['for one'])
    expect(texts(await two.receive())).toEqual(['for two'])
  })

  test('Push distributes over all Pull sockets', async () => {
    const [push, one, two] = own(new Push(), new Pull(), new Pull())
    const address = await push.bind(endpoint(transport))
    one.connect(address)
    two.connect(address)
    const counts = { one: 0, two: 0 }
    const both = until(async () => {
      await push.send('work')
      counts.one += (one.readable ? await one.receiveMany() : []).length
      counts.two += (two.readable ? await two.receiveMany() : []).length
      return counts.one > 0 && counts.two > 0
    })
    await expect(both).resolves.toBeUndefined()
  })

  test('a Subscriber gets what it subscribed to', async () => {
    const [pub, sub] = own(new XPublisher(), new Subscriber())
    await link(pub, sub, transport)
    sub.subscribe('a', Buffer.from('b'))
    const seen = [await pub.receive(), await pub.receive()].flatMap(texts).sort()
    expect(seen).toEqual(['\u0001a', '\u0001b'])
    for (const topic of ['a1', 'c1', 'b1', 'a2']) await pub.send([topic, 'body'])
    for (const topic of ['a1', 'b1', 'a2']) {
      expect(texts(await sub.receive())).toEqual([topic, 'body'])
    }
    sub.unsubscribe('a')
    expect(texts(await pub.receive())).toEqual(['\u0000a'])
    await pub.send('a3')
    await pub.send('b2')
    expect(texts(await sub.receive())).toEqual(['b2'])
  })

  test('Pair sockets talk both ways, in order', async () => {
    const [one, two] = own(new Pair(), new Pair())
    await link(one, two, transport)
    await one.sendMany(['1', '2', '3'])
    await two.sendMany(['4', '5', '6'])
    const received = [await two.receive(), await two.receive(), await two.receive()]
    expect(received.flatMap(texts)).toEqual(['1', '2', '3'])
    expect(texts(await one.receive())).toEqual(['4'])
  })

  test.each([0, 1, 255, 256, 16_384, 32_768, 65_536, 3_000_000])(
    'a part of %i bytes arrives as it was',
    async (size) => {
      const [push, pull] = own(new Push(), new Pull())
      await link(pull, push, transport)
      const part = Buffer.alloc(size, 'zerowire')
      await push.send(['before', part, 'after'])
      const [before, received, after] = await pull.receive()
      expect([String(before), String(after)]).toEqual(['before', 'after'])
      expect(part.equals(received as Buffer)).toBe(true)
      expect(Object.getPrototypeOf(received)).toBe(Buffer.prototype)
    },
  )
})

describe('Publisher', () => {
  test('reaches a Subscriber to everything', async () => {
    const [pub, sub] = own(new Publisher(), new Subscriber())
    await link(pub, sub, 'tcp')
    sub.subscribe()
    await until(async () => {
      await pub.send('news')
      return sub.readable
    })
    expect(texts(await sub.receive())).toEqual(['news'])
  })

  test('never makes a sender wait', async () => {
    const [pub] = own(new Publisher({ sendHighWaterMark: 1 }))
    await pub.bind(endpoint())
    for (let i = 0; i < 2000; i++) await pub.send('nobody listens')
    expect(pub.writable).toBe(true)
  })
})

describe('Subscriber', () => {
  test('subscribes to strings and Buffers only', () => {
    const [sub] = own(new Subscriber())
    expect(() => sub.subscribe(1 as never)).toThrow(TypeError)
    expect(() => sub.unsubscribe(null as never)).toThrow(TypeError)
  })
})

describe('XPublisher', () => {
  test('in manual mode, decides about subscriptions', async () => {
    const [pub, sub] = own(new XPublisher({ manual: true }), new Subscriber())
    await link(pub, sub)
    sub.subscribe('A')
    expect(texts(await pub.receive())).toEqual(['\u0001A'])
    pub.subscribe('B')
    await pub.send('A is not delivered')
    await pub.send('B is')
    sub.unsubscribe('A')
    sub.subscribe('B')
    expect(texts(await sub.receive())).toEqual(['B is'])
  })

  test('passes repeated subscriptions on when told to', async () => {
    const [pub, one, two] = own(
      new XPublisher({ verbosity: 'allSubs' }),
      new Subscriber(),
      new Subscriber(),
    )
    const address = await link(pub, one)
    two.connect(address)
    one.subscribe('A')
    expect(texts(await pub.receive())).toEqual(['\u0001A'])
    two.subscribe('A')
    expect(texts(await pub.receive())).toEqual(['\u0001A'])
  })

  test('welcomes new subscribers', async () => {
    const [pub, sub] = own(new XPublisher({ welcomeMessage: 'hello' }), new Subscriber())
    sub.subscribe('')
    await link(pub, sub)
    expect(texts(await sub.receive())).toEqual(['hello'])
  })

  test('refuses an unknown verbosity', () => {
    const [pub] = own(new XPublisher())
    expect(() => Object.assign(pub, { verbosity: 'loud' })).toThrow(TypeError)
  })
})

describe('XSubscriber', () => {
  test('subscribes by messages', async () => {
    const [pub, sub] = own(new XPublisher(), new XSubscriber())
    await link(pub, sub)
    await sub.send(Buffer.from('\u0001topic'))
    expect(texts(await pub.receive())).toEqual(['\u0001topic'])
    await pub.send('topic of the day')
    expect(texts(await sub.receive())).toEqual(['topic of the day'])
  })
})

describe('Request', () => {
  test('can be sent again when relaxed', async () => {
    const [client, server] = own(new Request({ relaxed: true, correlate: true }), new Reply())
    await link(server, client)
    await client.send('lost')
    await client.send('kept')
    const served = (async () => {
      for (;;) await server.send(await server.receive())
    })()
    expect(texts(await client.receive())).toEqual(['kept'])
    server.close()
    await expect(served).rejects.toMatchObject({ code: 'EAGAIN' })
  })
})

describe('Router', () => {
  test('says when a peer is unknown, if mandatory', async () => {
    const [router] = own(new Router({ mandatory: true }))
    await router.bind(endpoint())
    await expect(router.send(['nobody', 'hi'])).rejects.toMatchObject({ code: 'EHOSTUNREACH' })
  })

  test('drops messages to unknown peers otherwise', async () => {
    const [router] = own(new Router())
    await router.bind(endpoint())
    await expect(router.send(['nobody', 'hi'])).resolves.toBeUndefined()
  })

  test('names the peer that it connects to', async () => {
    const [router, dealer] = own(new Router({ mandatory: true }), new Dealer())
    const address = await dealer.bind(endpoint())
    router.connect(address, { routingId: 'worker' })
    await router.send(['worker', 'job'])
    expect(texts(await dealer.receive())).toEqual(['job'])
  })

  test('takes binary routing ids', async () => {
    const id = Buffer.from([0x80, 0xff, 0x01])
    const [router, dealer] = own(new Router(), new Dealer({ routingId: id }))
    expect(dealer.routingId).toEqual(id)
    await link(router, dealer)
    await dealer.send('hi')
    expect((await router.receive())[0]).toEqual(id)
  })

  test('checks the routing id for a connection', () => {
    const [router] = own(new Router())
    expect(() => router.connect(endpoint(), { routingId: 5 as never })).toThrow(TypeError)
  })
})

test('a message of more parts than ever fit a batch arrives whole', async () => {
  const [push, pull] = own(new Push(), new Pull())
  await link(pull, push)
  const parts = Array.from({ length: 1000 }, (_, i) => `part ${i}`)
  await push.sendMany([['first'], parts, ['last']])
  const received = [await pull.receive(), await pull.receive(), await pull.receive()]
  expect(received.map(texts)).toEqual([['first'], parts, ['last']])
})
