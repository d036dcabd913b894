// Heartbeats with libzmq: each side answers the other's PINGs, and notices a peer that is frozen.
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { commandFrame, RawPeer } from '../hostile/wire.js'
import { type AnySocket, bound, open, receive, send } from './fixture.js'
import { text } from './parts.js'
import { Peer } from './peer.js'

/** Relays one TCP endpoint and counts the PING and PONG commands that pass, by direction. */
class Tap {
  readonly counts = { up: { PING: 0, PONG: 0 }, down: { PING: 0, PONG: 0 } }
  connections = 0
  #changed = () => {}

  private constructor(readonly server: Server) {}

  static async to(endpoint: string): Promise<Tap> {
    const port = Number(endpoint.split(':').at(-1))
    const tap = new Tap(createServer())
    const sockets: Socket[] = []
    tap.server.on('connection', (down) => {
      tap.connections++
      const up = dial(port, '127.0.0.1')
      sockets.push(down, up)
      tap.#relay(down, up, 'up')
      tap.#relay(up, down, 'down')
    })
    await new Promise<void>((resolve) => tap.server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      tap.server.close()
      for (const socket of sockets) socket.destroy()
    })
    return tap
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.server.address() as { port: number }).port}`
  }

  #relay(from: Socket, to: Socket, direction: 'up' | 'down'): void {
    from.on('data', (data) => {
      for (const name of ['PING', 'PONG'] as const) {
        this.counts[direction][name] += data.toString('latin1').split(`\x04${name}`).length - 1
      }
      this.#changed()
      to.write(data)
    })
    from.on('error', () => {})
    from.on('close', () => to.destroy())
  }

  async reached(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }
}

const next = (socket: AnySocket, type: 'disconnect' | 'handshake') =>
  new Promise<void>((resolve) => socket.events.on(type, () => resolve()))

describe('heartbeats with libzmq', () => {
  let peer: Peer
  beforeAll(async () => {
    peer = await Peer.start('libzmq')
  })
  afterAll(() => peer.stop())

  test('we answer the PINGs of the peer, which stays', async () => {
    const server = open('REP')
    const tap = await Tap.to(await bound(server, 'tcp'))
    const client = await peer.open('REQ', { heartbeatInterval: 20, heartbeatTimeout: 5000 })
    await client.connect(tap.endpoint)
    await tap.reached(() => tap.counts.up.PING >= 5 && tap.counts.down.PONG >= 5)
    await client.send([text('still there?')])
    expect(await receive(server)).toEqual([text('still there?')])
    await send(server, [text('yes')])
    expect(await client.receive()).toEqual([text('yes')])
    expect(tap.connections).toBe(1)
    await client.close()
  })

  test('the peer answers our PINGs, and we stay', async () => {
    const server = await peer.open('REP')
    const tap = await Tap.to(await server.bind('tcp://127.0.0.1:*'))
    const client = open('REQ', { heartbeatInterval: 20, heartbeatTimeout: 5000 })
    client.connect(tap.endpoint)
    await tap.reached(() => tap.counts.up.PING >= 5 && tap.counts.down.PONG >= 5)
    await send(client, [text('still there?')])
    expect(await server.receive()).toEqual([text('still there?')])
    await server.send([text('yes')])
    expect(await receive(client)).toEqual([text('yes')])
    expect(tap.connections).toBe(1)
    await server.close()
  })

  test('a frozen peer is dropped, and found again when it thaws', async () => {
    const frozen = await Peer.start('libzmq')
    const server = await frozen.open('PULL')
    const client = open('PUSH', {
      heartbeatInterval: 20,
      heartbeatTimeout: 200,
      reconnectInterval: 20,
    })
    const gone = next(client, 'disconnect')
    client.connect(await server.bind('tcp://127.0.0.1:*'))
    await send(client, [text('before')])
    expect(await server.receive()).toEqual([text('before')])
    frozen.signal('SIGSTOP')
    await gone
    const back = next(client, 'handshake')
    frozen.signal('SIGCONT')
    await back
    await send(client, [text('after')])
    expect(await server.receive()).toEqual([text('after')])
    await frozen.stop()
  })

  test('the time to live that a peer announces is kept: silence from it ends the link', async () => {
    const frozen = await Peer.start('libzmq')
    const server = open('PULL')
    const gone = next(server, 'disconnect')
    const client = await frozen.open('PUSH', { heartbeatInterval: 20, heartbeatTimeToLive: 200 })
    const tap = await Tap.to(await bound(server, 'tcp'))
    await client.connect(tap.endpoint)
    await tap.reached(() => tap.counts.up.PING > 0)
    frozen.signal('SIGSTOP')
    await gone
    frozen.signal('SIGCONT')
    await frozen.stop()
  })

  test('one PING with a time to live is enough to bind its sender to it', async () => {
    const server = open('PULL')
    const gone = next(server, 'disconnect')
    const client = await RawPeer.connect(await bound(server, 'tcp'))
    await client.handshake('PUSH')
    client.write(commandFrame('PING', Buffer.from([0, 1])))
    await client.command('PONG')
    await gone
    await client.closed
  })
})
