import { describe, expect, test } from 'vitest'
import {
  Context,
  Dealer,
  // biome-ignore lint/suspicious/noShadowRestrictedNames: zeromq.js calls it so.
  Proxy,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  XPublisher,
  XSubscriber,
} from '../../lib/index.js'
import { endpoint, own, texts } from './support.js'

const refused = (code: string) => expect.objectContaining({ code })

async function queue() {
  const [front, back] = own(new Router({ linger: 0 }), new Dealer({ linger: 0 }))
  const [client, server] = own(new Request(), new Reply())
  client.connect(await front.bind(endpoint('tcp')))
  server.connect(await back.bind(endpoint('tcp')))
  const proxy = new Proxy(front, back)
  return { client, server, front, back, proxy }
}

describe('Proxy', () => {
  test('passes messages on both ways, until it is terminated', async () => {
    const { client, server, front, back, proxy } = await queue()
    const running = proxy.run()
    for (const text of ['one', 'two']) {
      await client.send(text)
      expect(texts(await server.receive())).toEqual([text])
      await server.send(`${text} done`)
      expect(texts(await client.receive())).toEqual([`${text} done`])
    }
    proxy.terminate()
    await running
    expect([front.closed, back.closed]).toEqual([true, true])
    expect(() => proxy.terminate()).toThrow(refused('EBADF'))
    await expect(proxy.run()).rejects.toEqual(refused('EBADF'))
  })

  test('stops while it is paused', async () => {
    const { client, server, proxy } = await queue()
    const running = proxy.run()
    await client.send('one')
    await server.receive()
    proxy.pause()
    await server.send('answer')
    await expect(client.receive({ timeout: 50 })).rejects.toEqual(refused('EAGAIN'))
    proxy.resume()
    expect(texts(await client.receive())).toEqual(['answer'])
    proxy.terminate()
    await running
  })

  test('forwards subscriptions and what they are for', async () => {
    const [front, back] = own(new XSubscriber({ linger: 0 }), new XPublisher({ linger: 0 }))
    const [pub, sub] = own(new XPublisher(), new XSubscriber())
    pub.connect(await front.bind(endpoint('tcp')))
    sub.connect(await back.bind(endpoint('tcp')))
    const proxy = new Proxy(front, back)
    const running = proxy.run()
    await sub.send(Buffer.from('\u0001news'))
    expect(texts(await pub.receive())).toEqual(['\u0001news'])
    await pub.send('news of today')
    expect(texts(await sub.receive())).toEqual(['news of today'])
    proxy.terminate()
    await running
  })

  test('passes on first what had been fetched before', async () => {
    const [front, back] = own(new Pull({ linger: 0 }), new Push({ linger: 0 }))
    const [source, sink] = own(new Push(), new Pull())
    source.connect(await front.bind(endpoint()))
    sink.connect(await back.bind(endpoint()))
    await source.sendMany(['0', '1', '2', '3'])
    expect(texts(await front.receive())).toEqual(['0'])
    const proxy = new Proxy(front, back)
    const running = proxy.run()
    await source.send('4')
    for (const text of ['1', '2', '3', '4']) expect(texts(await sink.receive())).toEqual([text])
    proxy.terminate()
    await running
  })

  test('takes its sockets from the program', async () => {
    const { front, back, client, proxy } = await queue()
    const running = proxy.run()
    await client.send('x')
    await expect(front.receive()).rejects.toEqual(refused('EBADF'))
    await expect(back.send('x')).rejects.toEqual(refused('EBADF'))
    await expect(new Proxy(front, back).run()).rejects.toEqual(refused('EBADF'))
    front.close()
    await running
    expect(front.closed).toBe(true)
  })

  test('ends with its context', async () => {
    const context = new Context()
    const [front, back] = own(new Pull({ context }), new Push({ context }))
    await front.bind(endpoint())
    await back.bind(endpoint())
    const running = new Proxy(front, back).run()
    await context.close()
    await running
    expect(back.closed).toBe(true)
  })

  test('runs with sockets that have an endpoint', async () => {
    const [front, back] = own(new Router(), new Dealer())
    await expect(new Proxy(front, back).run()).rejects.toEqual(refused('EINVAL'))
    await front.bind(endpoint())
    await expect(new Proxy(front, back).run()).rejects.toEqual(refused('EINVAL'))
    expect([front.closed, back.closed]).toEqual([false, false])
  })

  test('does not run with closed or busy sockets', async () => {
    const [front, back] = own(new Router(), new Dealer())
    const proxy = new Proxy(front, back)
    const waiting = front.receive()
    await expect(proxy.run()).rejects.toEqual(refused('EBUSY'))
    front.close()
    await expect(waiting).rejects.toEqual(refused('EAGAIN'))
    await expect(proxy.run()).rejects.toEqual(refused('EBADF'))
  })

  test('can be controlled only while it runs', () => {
    const [front, back] = own(new Router(), new Dealer())
    const proxy = new Proxy(front, back)
    expect([proxy.frontEnd, proxy.backEnd]).toEqual([front, back])
    for (const command of ['pause', 'resume', 'terminate'] as const) {
      expect(() => proxy[command]()).toThrow(refused('EBADF'))
    }
  })

  test('is made of sockets', () => {
    const [socket] = own(new Router())
    expect(() => new Proxy({} as never, socket)).toThrow('front-end must be a socket object')
    expect(() => new Proxy(socket, {} as never)).toThrow('back-end must be a socket object')
  })
})
