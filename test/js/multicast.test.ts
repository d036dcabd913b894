// Publishers and subscribers over epgm, on the loopback interface, which needs no privileges.
import { createSocket } from 'node:dgram'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  Dealer,
  type Event,
  type EventOfType,
  Publisher,
  Subscriber,
  XPublisher,
  XSubscriber,
} from '../../lib/index.js'
import { own } from './support.js'

let groups = 0

/** An endpoint that no other test uses. */
function group(scheme = 'epgm'): string {
  groups++
  const port = 10_000 + (process.pid % 10_000)
  return `${scheme}://127.0.0.1;239.194.${groups}.${1 + (process.pid % 254)}:${port}`
}

const FAST = { rate: 1_000_000, linger: 0 }

/** Publishes until all subscribers have heard of it, and have heard the last of that. */
async function meet(pub: Publisher | XPublisher, ...subs: (Subscriber | XSubscriber)[]) {
  let waiting = subs.length
  const heard = subs.map(async (sub) => {
    await sub.receive()
    waiting--
    for (;;) if (String((await sub.receive())[0]) === 'start') return
  })
  while (waiting > 0) {
    await pub.send('hello')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await pub.send('start')
  await Promise.all(heard)
}

function subscriber(endpoint: string, options = {}): Subscriber {
  const [sub] = own(new Subscriber({ ...FAST, receiveTimeout: 5000, ...options }))
  sub.connect(endpoint)
  sub.subscribe()
  return sub
}

describe('epgm', () => {
  test('carries messages from a publisher to all subscribers', async () => {
    const endpoint = group()
    const [pub] = own(new Publisher(FAST))
    expect(await pub.bind(endpoint)).toBe(endpoint)
    expect(pub.lastEndpoint).toBe(endpoint)
    const subs = [subscriber(endpoint), subscriber(endpoint), subscriber(endpoint)]
    await meet(pub, ...subs)
    for (let i = 0; i < 50; i++) await pub.send([`${i}`, '', Buffer.alloc(i * 100, i)])
    for (const sub of subs) {
      for (let i = 0; i < 50; i++) {
        const [number, empty, body] = await sub.receive()
        expect([String(number), empty?.length]).toEqual([`${i}`, 0])
        expect(body?.equals(Buffer.alloc(i * 100, i))).toBe(true)
      }
      expect(sub.multicastLost).toBe(0)
    }
  })

  test('carries large messages', async () => {
    const endpoint = group()
    const [pub] = own(new Publisher({ ...FAST, rate: 10_000_000 }))
    await pub.bind(endpoint)
    const sub = subscriber(endpoint, { rate: 10_000_000 })
    await meet(pub, sub)
    const large = Buffer.alloc(1 << 20, 'large')
    for (let i = 0; i < 3; i++) await pub.send([`${i}`, large])
    for (let i = 0; i < 3; i++) {
      const [number, body] = await sub.receive()
      expect(String(number)).toBe(`${i}`)
      expect(body?.equals(large)).toBe(true)
    }
  })

  test('makes no difference between bind and connect', async () => {
    const endpoint = group()
    const [pub, sub] = own(new XPublisher(FAST), new XSubscriber(FAST))
    pub.connect(endpoint)
    await sub.bind(endpoint)
    await meet(pub, sub)
    pub.disconnect(endpoint)
    await sub.unbind(endpoint)
    expect(() => pub.disconnect(endpoint)).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })

  test('is filtered by the subscriber', async () => {
    const endpoint = group()
    const [pub, sub] = own(new Publisher(FAST), new Subscriber({ ...FAST, receiveTimeout: 5000 }))
    await pub.bind(endpoint)
    sub.connect(endpoint)
    sub.subscribe('b')
    await meet(pub, subscriber(endpoint))
    for (const topic of ['a1', 'b1', 'a2', 'b2']) await pub.send(topic)
    expect(String(await sub.receive())).toBe('b1')
    expect(String(await sub.receive())).toBe('b2')
  })

  test('is for publishers and subscribers only', async () => {
    const [dealer] = own(new Dealer())
    const refusal = expect.objectContaining({ code: 'ENOCOMPATPROTO' })
    await expect(dealer.bind(group())).rejects.toEqual(refusal)
    expect(() => dealer.connect(group())).toThrow(refusal)
  })

  test.each([
    ['epgm://nosuchinterface;239.192.1.1:5555', 'ENODEV'],
    ['epgm://127.0.0.1;239.192.1.1', 'EINVAL'],
    ['epgm://127.0.0.1;10.1.1.1:5555', 'EINVAL'],
  ])('%s fails with %s', async (endpoint, code) => {
    const [pub] = own(new Publisher())
    await expect(pub.bind(endpoint)).rejects.toEqual(expect.objectContaining({ code }))
    expect(() => pub.connect(endpoint)).toThrow(expect.objectContaining({ code }))
  })

  test('has events for endpoints and sources', async () => {
    const endpoint = group()
    const [pub, sub] = own(new Publisher(FAST), new Subscriber(FAST))
    const seen: Event[] = []
    const left = new Promise<EventOfType<'multicast:leave'>>((resolve) => {
      sub.events.on('multicast:leave', resolve)
    })
    for (const type of ['connect', 'multicast:join', 'multicast:gap'] as const) {
      sub.events.on(type, (event) => seen.push(event))
    }
    sub.connect(endpoint)
    sub.subscribe()
    await pub.bind(endpoint)
    await meet(pub, sub)
    pub.close()
    const peerAddress = expect.stringMatching(/^epgm:\/\/127\.0\.0\.1\/[0-9a-f]{12}\.\d+$/)
    expect(await left).toEqual({ type: 'multicast:leave', address: endpoint, peerAddress })
    expect(seen).toEqual([
      { type: 'connect', address: endpoint },
      { type: 'multicast:join', address: endpoint, peerAddress },
    ])
  })
})

/** A PGM data packet (RFC 3208) of the session 010203040506.7 with a message of one part. */
function dataPacket(port: number, sequence: number, trail: number, body: string): Buffer {
  return streamPacket(port, sequence, trail, [body.length + 1, 0, ...Buffer.from(body)])
}

/** The same with any bytes instead of a message. */
function streamPacket(port: number, sequence: number, trail: number, bytes: number[]): Buffer {
  const stream = Buffer.from([0, 0, ...bytes])
  const packet = Buffer.alloc(24 + stream.length)
  packet.writeUInt16BE(7, 0)
  packet.writeUInt16BE(port, 2)
  packet[4] = 4
  packet.set([1, 2, 3, 4, 5, 6], 8)
  packet.writeUInt16BE(stream.length, 14)
  packet.writeUInt32BE(sequence, 16)
  packet.writeUInt32BE(trail, 20)
  packet.set(stream, 24)
  let sum = 0
  for (let i = 0; i < packet.length; i++) sum += (packet[i] as number) << (i % 2 ? 0 : 8)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  packet.writeUInt16BE(~sum & 0xffff || 0xffff, 6)
  return packet
}

/** Sends to an endpoint's group what `make` makes for its port. */
async function stranger(endpoint: string) {
  const [, address, port] = endpoint.match(/;(.*):(\d+)$/) as RegExpMatchArray
  const socket = createSocket('udp4')
  onTestFinished(() => {
    socket.close()
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  socket.setMulticastInterface('127.0.0.1')
  return (make: (port: number) => Buffer) => socket.send(make(Number(port)), Number(port), address)
}

test('what is lost for good is told and counted', async () => {
  const endpoint = group()
  const sub = subscriber(endpoint)
  const gap = new Promise((resolve) => sub.events.on('multicast:gap', resolve))
  const transmit = await stranger(endpoint)
  const send = (sequence: number, trail: number, body: string) =>
    transmit((port) => dataPacket(port, sequence, trail, body))
  send(10, 10, 'before')
  expect(String(await sub.receive())).toBe('before')
  send(15, 15, 'after')
  expect(String(await sub.receive())).toBe('after')
  expect(await gap).toEqual({
    type: 'multicast:gap',
    address: endpoint,
    peerAddress: 'epgm://127.0.0.1/010203040506.7',
    first: 11,
    last: 14,
    count: 4,
    cause: 'window',
  })
  expect(sub.multicastLost).toBe(4)
})

test('what holds no messages is told and counted', async () => {
  const endpoint = group()
  const sub = subscriber(endpoint)
  const gap = new Promise((resolve) => sub.events.on('multicast:gap', resolve))
  const transmit = await stranger(endpoint)
  transmit((port) => dataPacket(port, 10, 10, 'before'))
  expect(String(await sub.receive())).toBe('before')
  transmit((port) => streamPacket(port, 11, 10, [0, 0, 0, 0]))
  transmit((port) => dataPacket(port, 12, 10, 'after'))
  expect(String(await sub.receive())).toBe('after')
  expect(await gap).toEqual({
    type: 'multicast:gap',
    address: endpoint,
    peerAddress: 'epgm://127.0.0.1/010203040506.7',
    first: 11,
    last: 11,
    count: 1,
    cause: 'protocol',
  })
  expect(sub.multicastLost).toBe(1)
})

test('pgm needs a privilege, or works', async () => {
  const endpoint = group('pgm')
  const [pub] = own(new Publisher(FAST))
  try {
    await pub.bind(endpoint)
  } catch (failure) {
    expect(failure).toMatchObject({
      code: 'EPERM',
      message: expect.stringContaining('CAP_NET_RAW'),
    })
    return
  }
  const sub = subscriber(endpoint)
  await meet(pub, sub)
  await pub.send(['raw', 'packets'])
  expect((await sub.receive()).map(String)).toEqual(['raw', 'packets'])
})
