// Peers that speak ZMTP 3.0 (libzmq 4.0 to 4.2): no SUBSCRIBE, CANCEL, PING or PONG commands
// toward them; their subscriptions come as messages.
import { describe, expect, test } from 'vitest'
import {
  command,
  commandName,
  frame,
  greeting,
  more,
  property,
  RawPeer,
  RawServer,
  ready,
} from '../hostile/wire.js'
import { bound, open, receive, send } from './fixture.js'
import { text } from './parts.js'

const bytes = (value: string) => Buffer.from(value)

/** Serves one connection of ours as a ZMTP 3.0 peer of this type; returns it past the handshake. */
async function served(server: RawServer, type: string): Promise<RawPeer> {
  const link = await server.accept()
  link.write(greeting({ minor: 0 }), ready(type))
  expect(commandName(await link.welcome())).toBe('READY')
  return link
}

describe('a ZMTP 3.0 peer', () => {
  test('gets our subscriptions as messages', async () => {
    const server = await RawServer.listen()
    const sub = open('SUB')
    sub.subscribe('a')
    sub.connect(server.endpoint)
    const publisher = await served(server, 'PUB')
    expect(await publisher.frame()).toEqual({ flags: 0, body: bytes('\x01a') })
    sub.subscribe('b')
    expect(await publisher.frame()).toEqual({ flags: 0, body: bytes('\x01b') })
    publisher.write(frame('c: not wanted'), frame('a: '), frame('b: topic', more), frame('body'))
    expect(await receive(sub)).toEqual([text('a: ')])
    expect(await receive(sub)).toEqual([text('b: topic'), text('body')])
  })

  test('subscribes with messages', async () => {
    const xpub = open('XPUB')
    const subscriber = await RawPeer.connect(await bound(xpub, 'tcp'))
    await subscriber.handshake('SUB', 0)
    subscriber.write(frame('\x01a'))
    expect(await receive(xpub)).toEqual([`01${text('a')}`])
    await send(xpub, [text('not wanted')])
    await send(xpub, [text('abc')])
    expect(await subscriber.frame()).toEqual({ flags: 0, body: bytes('abc') })
    subscriber.write(frame('\x00a'))
    expect(await receive(xpub)).toEqual([`00${text('a')}`])
  })

  test('may use commands for its subscriptions, as may a 3.1 peer use messages', async () => {
    const xpub = open('XPUB')
    const endpoint = await bound(xpub, 'tcp')
    const old = await RawPeer.connect(endpoint)
    await old.handshake('SUB', 0)
    old.write(frame(Buffer.concat([bytes('\x09SUBSCRIBE'), bytes('old')]), command))
    expect(await receive(xpub)).toEqual([`01${text('old')}`])
    const current = await RawPeer.connect(endpoint)
    await current.handshake('SUB', 1)
    current.write(frame('\x01new'))
    expect(await receive(xpub)).toEqual([`01${text('new')}`])
    current.write(frame(Buffer.concat([bytes('\x06CANCEL'), bytes('new')]), command))
    expect(await receive(xpub)).toEqual([`00${text('new')}`])
  })

  test('is not sent PINGs', async () => {
    const server = await RawServer.listen()
    const dealer = open('DEALER', { heartbeatInterval: 10 })
    const witness = await RawServer.listen()
    const watched = open('DEALER', { heartbeatInterval: 10 })
    dealer.connect(server.endpoint)
    const old = await served(server, 'ROUTER')
    watched.connect(witness.endpoint)
    const current = await witness.accept()
    current.write(greeting(), ready('ROUTER'))
    await current.read(64)
    // By the time a 3.1 peer has got two PINGs, the old one would have got one.
    for (let pings = 0; pings < 2; pings++) {
      const ping = await current.command('PING')
      expect(ping.body.length).toBe('\x04PING'.length + 2)
      current.write(frame('\x04PONG', command))
    }
    await send(dealer, [text('first')])
    expect(await old.frame()).toEqual({ flags: 0, body: bytes('first') })
  })

  test('exchanges requests and replies', async () => {
    const reply = open('REP')
    const request = await RawPeer.connect(await bound(reply, 'tcp'))
    const answer = await request.handshake('REQ', 0)
    expect(answer.body.includes('Socket-Type\0\0\0\x03REP')).toBe(true)
    request.write(frame('', more), frame('question'))
    expect(await receive(reply)).toEqual([text('question')])
    await send(reply, [text('answer')])
    expect(await request.frame()).toEqual({ flags: more, body: bytes('') })
    expect(await request.frame()).toEqual({ flags: 0, body: bytes('answer') })
  })

  test('of a later major or minor version is spoken to in 3.1', async () => {
    for (const version of [
      { major: 3, minor: 7 },
      { major: 4, minor: 0 },
    ]) {
      const pull = open('PULL')
      const peer = await RawPeer.connect(await bound(pull, 'tcp'))
      peer.write(greeting(version), ready('PUSH'))
      const ours = await peer.read(64)
      expect([ours[10], ours[11]]).toEqual([3, 1])
      await peer.command('READY')
      peer.write(frame('hello'))
      expect(await receive(pull)).toEqual([text('hello')])
    }
  })

  test('gets our signature at once, and all of our greeting before it has sent all of its', async () => {
    const pull = open('PULL')
    const slow = await RawPeer.connect(await bound(pull, 'tcp'))
    const signature = await slow.read(10)
    expect([signature[0], signature[9]]).toEqual([0xff, 0x7f])
    slow.write(greeting().subarray(0, 12))
    expect(await slow.read(54)).toEqual(greeting({ minor: 1 }).subarray(10))
    slow.write(greeting().subarray(12), ready('PUSH'))
    await slow.command('READY')
    slow.write(frame('hello'))
    expect(await receive(pull)).toEqual([text('hello')])
  })

  test('that names itself is known by this name', async () => {
    const router = open('ROUTER')
    const dealer = await RawPeer.connect(await bound(router, 'tcp'))
    await dealer.handshake('DEALER', 0, [property('Identity', 'old friend')])
    dealer.write(frame('hello'))
    expect(await receive(router)).toEqual([text('old friend'), text('hello')])
    await send(router, [text('old friend'), text('hi')])
    expect(await dealer.frame()).toEqual({ flags: 0, body: bytes('hi') })
  })
})
