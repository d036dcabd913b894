import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type Event, type EventType, Observer, Pair, Reply, Request } from '../../lib/index.js'
import { endpoint, own } from './support.js'

const refused = (code: string) => expect.objectContaining({ code })

/** The next event of a type; others are passed over. */
async function next<T extends EventType>(observer: Observer, type: T): Promise<Event> {
  for (;;) {
    const event = await observer.receive()
    if (event.type === type) return event
  }
}

describe('events', () => {
  test('tell of a connection from both sides', async () => {
    const [server, client] = own(new Pair(), new Pair())
    const { events } = server
    expect(server.events).toBe(events)
    expect(events).toBeInstanceOf(Observer)
    const address = await server.bind(endpoint('tcp'))
    expect(await next(events, 'bind')).toEqual({ type: 'bind', address })
    const connected = next(client.events, 'handshake')
    client.connect(address)
    expect(await next(events, 'accept')).toMatchObject({ address })
    expect(await next(events, 'handshake')).toMatchObject({ address })
    expect(await connected).toMatchObject({ type: 'handshake', address })
    client.close()
    expect(await next(events, 'disconnect')).toMatchObject({ address })
  })

  test('are those since the observer was created', async () => {
    const [server] = own(new Pair())
    const first = new Observer(server)
    await server.bind(endpoint('tcp'))
    first.close()
    const second = new Observer(server)
    const two = await server.bind(endpoint('tcp'))
    const third = new Observer(server)
    const three = await server.bind(endpoint('tcp'))
    expect(await second.receive()).toEqual({ type: 'bind', address: two })
    expect(await second.receive()).toEqual({ type: 'bind', address: three })
    expect(await third.receive()).toEqual({ type: 'bind', address: three })
  })

  test('tell of attempts that fail', async () => {
    const [server, client] = own(new Pair(), new Pair({ reconnectInterval: 10 }))
    const address = await server.bind(endpoint('tcp'))
    await server.unbind(address)
    server.close()
    const { events } = client
    client.connect(address)
    const retry = await next(events, 'connect:retry')
    expect(retry).toMatchObject({ address, interval: expect.any(Number) })
  })

  test('tell of a bind that fails', async () => {
    const [one, two] = own(new Pair(), new Pair())
    const address = await one.bind(endpoint('tcp'))
    const { events } = two
    await expect(two.bind(address)).rejects.toEqual(refused('EADDRINUSE'))
    const event = await next(events, 'bind:error')
    expect(event).toMatchObject({ error: { code: 'EADDRINUSE' } })
  })

  test('tell of peers that do not speak the protocol', async () => {
    const [server] = own(new Reply())
    const address = await server.bind(endpoint('tcp'))
    const failed = (async () => {
      for await (const event of server.events) {
        if (event.type.startsWith('handshake:error')) return event
      }
      return undefined
    })()
    const peer = connect(Number(address.split(':')[2]), '127.0.0.1')
    peer.on('error', () => undefined)
    await once(peer, 'connect')
    peer.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(4))
    expect(await failed).toMatchObject({
      type: 'handshake:error:protocol',
      error: { name: 'ZmqError', code: expect.stringMatching(/^ERR_ZMTP_/) },
    })
    peer.destroy()
  })

  test('tell of peers of the wrong type', async () => {
    const [server, client] = own(new Reply(), new Reply())
    const address = await server.bind(endpoint('tcp'))
    const failed = new Promise((resolve) => {
      for (const type of ['protocol', 'other'] as const) {
        server.events.on(`handshake:error:${type}`, resolve)
      }
    })
    client.connect(address)
    expect(await failed).toMatchObject({ address, error: { name: 'ZmqError' } })
  })

  test('go to listeners', async () => {
    const [server, client] = own(new Pair(), new Pair())
    const seen: string[] = []
    const listener = (event: Event) => seen.push(event.type)
    const shaken = new Promise((resolve) => server.events.on('handshake', resolve))
    expect(server.events.on('bind', listener)).toBe(server.events)
    server.events.on('accept', listener)
    server.events.off('accept', listener)
    client.connect(await server.bind(endpoint('tcp')))
    await shaken
    expect(seen).toEqual(['bind'])
    await expect(server.events.receive()).rejects.toEqual(refused('EBUSY'))
  })

  test('end with the socket', async () => {
    const [socket] = own(new Pair())
    const { events } = socket
    const address = await socket.bind(endpoint('tcp'))
    const seen: Event[] = []
    const iteration = (async () => {
      for await (const event of events) {
        seen.push(event)
        if (event.type === 'bind') socket.close()
      }
    })()
    await iteration
    expect(seen).toEqual([{ type: 'bind', address }, { type: 'close', address }, { type: 'end' }])
    expect(events.closed).toBe(true)
    await expect(events.receive()).rejects.toEqual(refused('EBADF'))
  })

  test('tell once that an endpoint is closed', async () => {
    const [socket] = own(new Pair())
    const closed: unknown[] = []
    socket.events.on('close', ({ address }) => closed.push(address))
    const first = await socket.bind(endpoint('tcp'))
    const second = await socket.bind(endpoint('tcp'))
    const third = await socket.bind(endpoint('tcp'))
    await socket.bind(endpoint('inproc'))
    const unbound = new Promise((resolve) => socket.events.on('close', resolve))
    await socket.unbind(first)
    await unbound
    const ended = new Promise((resolve) => socket.events.on('end', resolve))
    await socket.unbind(second)
    socket.close()
    await ended
    expect(closed).toEqual([first, second, third])
  })

  test('tell listeners of the end', async () => {
    const socket = new Pair()
    const ended = new Promise((resolve) => socket.events.on('end', resolve))
    socket.close()
    expect(await ended).toEqual({ type: 'end' })
  })
})

describe('Observer', () => {
  test('can be closed before its socket', async () => {
    const [socket] = own(new Pair())
    const { events } = socket
    const waiting = events.receive()
    const step = events[Symbol.asyncIterator]().next()
    events.close()
    events.close()
    await expect(waiting).rejects.toEqual(refused('EAGAIN'))
    expect(await step).toEqual({ value: undefined, done: true })
    expect(events.closed).toBe(true)
    await expect(events.receive()).rejects.toEqual(refused('EBADF'))
    expect(socket.closed).toBe(false)
  })

  test('concurrent receives queue', async () => {
    const [socket] = own(new Pair())
    const waiting = [socket.events.receive(), socket.events.receive()]
    const one = await socket.bind(endpoint('tcp'))
    const two = await socket.bind(endpoint('tcp'))
    expect(await Promise.all(waiting)).toEqual([
      { type: 'bind', address: one },
      { type: 'bind', address: two },
    ])
  })

  test('there may be several', async () => {
    const [socket] = own(new Pair())
    const observers = [socket.events, new Observer(socket)]
    const address = await socket.bind(endpoint('tcp'))
    for (const observer of observers) {
      expect(await observer.receive()).toEqual({ type: 'bind', address })
    }
  })

  test('observes open sockets only', () => {
    const socket = new Request()
    socket.close()
    expect(() => new Observer(socket)).toThrow(refused('EBADF'))
    expect(() => new Observer({} as never)).toThrow(TypeError)
  })
})
