// Peers that are killed and come back; peers that are there before or after us.
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AnySocket,
  anyEndpoint,
  bound,
  open,
  peerBindsAgain,
  receive,
  send,
  until,
} from './fixture.js'
import { text } from './parts.js'
import { kinds, Peer } from './peer.js'

/** The next event of this type; ask before what causes it. */
const event = (socket: AnySocket, type: 'handshake' | 'disconnect') =>
  new Promise<void>((resolve) => {
    const listener = () => {
      socket.events.off(type, listener)
      resolve()
    }
    socket.events.on(type, listener)
  })

describe.each(kinds)('with %s', (kind) => {
  let peer: Peer
  beforeAll(async () => {
    peer = await Peer.start(kind)
  })
  afterAll(() => peer.stop())

  describe.each(['tcp', 'ipc'] as const)('over %s', (transport) => {
    test('we connect before the peer binds, and queue meanwhile', async () => {
      const endpoint = await freeEndpoint(transport)
      const push = open('PUSH', { reconnectInterval: 10 })
      push.connect(endpoint)
      for (const part of ['1', '2', '3']) await send(push, [text(part)])
      const pull = await peer.open('PULL')
      await peerBindsAgain(pull, endpoint)
      for (const part of ['1', '2', '3']) expect(await pull.receive()).toEqual([text(part)])
    })

    test('the peer connects before we bind', async () => {
      const endpoint = await freeEndpoint(transport)
      const push = await peer.open('PUSH', { reconnectInterval: 10 })
      await push.connect(endpoint)
      await push.send([text('early')])
      const pull = open('PULL')
      await pull.bind(endpoint)
      expect(await receive(pull)).toEqual([text('early')])
    })

    test('a server that is killed and restarted is found again', async () => {
      const dealer = open('DEALER', { reconnectInterval: 10 })
      const victim = await Peer.start(kind)
      const before = await victim.open('REP')
      const endpoint = await before.bind(anyEndpoint(transport))
      dealer.connect(endpoint)
      await send(dealer, ['', text('1')])
      expect(await before.receive()).toEqual([text('1')])
      await before.send([text('one')])
      expect(await receive(dealer)).toEqual(['', text('one')])
      const gone = event(dealer, 'disconnect')
      await victim.kill()
      await gone

      const after = await peer.open('REP')
      await peerBindsAgain(after, endpoint)
      await send(dealer, ['', text('2')])
      expect(await after.receive()).toEqual([text('2')])
      await after.send([text('two')])
      expect(await receive(dealer)).toEqual(['', text('two')])
      await after.close()
    })

    test('a client that is killed is replaced by the next; others are served', async () => {
      const reply = open('REP')
      const endpoint = await bound(reply, transport)
      const other = await peer.open('REQ')
      await other.connect(endpoint)
      for (const round of ['1', '2', '3']) {
        const victim = await Peer.start(kind)
        const request = await victim.open('REQ')
        await request.connect(endpoint)
        await request.send([text(round)])
        expect(await receive(reply)).toEqual([text(round)])
        await victim.kill()
        await send(reply, [text('too late')])

        await other.send([text(`other ${round}`)])
        expect(await receive(reply)).toEqual([text(`other ${round}`)])
        await send(reply, [text('in time')])
        expect(await other.receive()).toEqual([text('in time')])
      }
      await other.close()
    })

    test('a message cut off by kill -9 is never delivered in part', async () => {
      const pull = open('PULL', { receiveHighWaterMark: 10 })
      const endpoint = await bound(pull, transport)
      const victim = await Peer.start(kind)
      const doomed = await victim.open('PUSH')
      const joined = event(pull, 'handshake')
      await doomed.connect(endpoint)
      await joined
      // Far more than the buffers hold, so that the kill lands inside a message.
      const message = [text('head'), '@6000000:7', text('tail')]
      for (let i = 0; i < 30; i++) await doomed.send(message)
      victim.signal('SIGKILL')

      const next = await peer.open('PUSH')
      const gone = event(pull, 'disconnect')
      const whole = until(async () => {
        const parts = await receive(pull)
        return parts.length === 1 ? parts : void expect(parts).toEqual(message)
      })
      await gone
      await next.connect(endpoint)
      await next.send([text('end')])
      expect(await whole).toEqual([text('end')])
      await next.close()
    })
  })

  test('disconnect and connect again by hand', async () => {
    const first = await peer.open('PULL')
    const second = await peer.open('PULL')
    const endpoints = [
      await first.bind('tcp://127.0.0.1:*'),
      await second.bind('tcp://127.0.0.1:*'),
    ] as const
    const push = open('PUSH')
    push.connect(endpoints[0])
    await send(push, [text('to the first')])
    expect(await first.receive()).toEqual([text('to the first')])
    push.disconnect(endpoints[0])
    push.connect(endpoints[1])
    await send(push, [text('to the second')])
    expect(await second.receive()).toEqual([text('to the second')])
    await first.close()
    await second.close()
  })
})

/** An endpoint nobody listens on. */
async function freeEndpoint(transport: 'tcp' | 'ipc'): Promise<string> {
  if (transport === 'ipc') return anyEndpoint(transport)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `tcp://127.0.0.1:${port}`
}
