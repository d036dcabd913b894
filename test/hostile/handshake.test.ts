// What arrives on a port instead of a good greeting and handshake: the connection ends with the
// right event, nothing is delivered, others are served.
import { describe, expect, test } from 'vitest'
import * as zmq from '../../lib/index.js'
import { nextEnding, nextEvent, type Seen, Victim } from './victim.js'
import {
  command,
  commandFrame,
  frame,
  greeting,
  long,
  longHeader,
  more,
  property,
  RawPeer,
  ready,
} from './wire.js'

const malformed: Seen = ['handshake:error:protocol', 'ERR_ZMTP_UNSPECIFIED']
const mismatch: Seen = ['handshake:error:protocol', 'ERR_ZMTP_MECHANISM_MISMATCH']
const unexpected: Seen = ['handshake:error:protocol', 'ERR_ZMTP_UNEXPECTED_COMMAND']
const badMetadata: Seen = ['handshake:error:protocol', 'ERR_ZMTP_INVALID_METADATA']
const badReady: Seen = ['handshake:error:protocol', 'ERR_ZMTP_MALFORMED_COMMAND_READY']
const badError: Seen = ['handshake:error:protocol', 'ERR_ZMTP_MALFORMED_COMMAND_ERROR']
const badCommand: Seen = ['handshake:error:protocol', 'ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED']

/** Pseudo-random bytes, the same in every run. */
function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = seed
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

const clientHello = Buffer.concat([
  Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
  noise(506, 1),
])

/** A 2.0 peer: signature, revision 1, PUSH; then its identity and a message. */
const zmtp2 = Buffer.concat([
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, 8]),
  frame(''),
  frame('from the past'),
])

/** An unversioned peer: an empty identity, then a message; a length counts the flags octet. */
const zmtp1 = Buffer.concat([
  Buffer.from([1, 0]),
  Buffer.from([14, 0]),
  Buffer.from('from the past'),
])

const shaking = (...frames: Buffer[]) => Buffer.concat([greeting(), ...frames])
const rawReady = (metadata: Buffer) => shaking(commandFrame('READY', metadata))
const push = property('Socket-Type', 'PUSH')

const attacks: readonly (readonly [string, Buffer | string, Seen])[] = [
  ['HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n', malformed],
  ['TLS', clientHello, malformed],
  ['SSH', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', malformed],
  ['a line of text', 'HELP\r\n', malformed],
  ['zeros', Buffer.alloc(4096), malformed],
  ['noise', Buffer.concat([Buffer.from([1]), noise(100_000, 2)]), malformed],
  [
    'noise that begins like a greeting',
    Buffer.concat([greeting().subarray(0, 10), noise(4000, 8)]),
    mismatch,
  ],
  ['an unversioned ZMTP greeting and a message', zmtp1, malformed],
  ['a ZMTP 2.0 greeting and a message', zmtp2, malformed],
  ['major version 0', greeting({ major: 0 }), malformed],
  ['mechanism PLAIN', greeting({ mechanism: 'PLAIN' }), mismatch],
  ['mechanism CURVE', greeting({ mechanism: 'CURVE', server: 1 }), mismatch],
  ['no mechanism', greeting({ mechanism: '' }), mismatch],
  ['a mechanism of 20 letters', greeting({ mechanism: 'NULLNULLNULLNULLNULL' }), mismatch],
  ['a message instead of READY', shaking(frame('hello')), unexpected],
  ['HELLO instead of READY', shaking(commandFrame('HELLO', 'x')), unexpected],
  ['PING instead of READY', shaking(commandFrame('PING', '\0\0')), unexpected],
  ['a command with MORE', shaking(frame('\x05READY', command | more)), unexpected],
  ['a command with a reserved flag', shaking(frame('\x05READY', command | 0x40)), unexpected],
  ['an empty command', shaking(frame('', command)), badCommand],
  ['a command without a name', shaking(frame('\0', command)), badCommand],
  ['a command name beyond its frame', shaking(frame('\x09READY', command)), badCommand],
  ['READY without a socket type', rawReady(Buffer.alloc(0)), badMetadata],
  ['READY of the wrong socket type', rawReady(property('Socket-Type', 'SUB')), badMetadata],
  ['READY of an unknown socket type', rawReady(property('Socket-Type', 'PUSHY')), badMetadata],
  ['a property name beyond its frame', rawReady(Buffer.from('\x20Socket')), badMetadata],
  ['a property value beyond its frame', rawReady(push.subarray(0, -1)), badMetadata],
  ['a property without a name', rawReady(Buffer.concat([push, property('', 'x')])), badMetadata],
  [
    'a property value of 4 GiB',
    rawReady(Buffer.from('\x0bSocket-Type\xff\xff\xff\xffPUSH', 'latin1')),
    badMetadata,
  ],
  [
    'an identity of 256 bytes',
    rawReady(Buffer.concat([push, property('Identity', 'x'.repeat(256))])),
    badMetadata,
  ],
  [
    '1000 properties',
    rawReady(Buffer.concat([push, ...Array.from({ length: 1000 }, () => property('X-a', 'b'))])),
    badMetadata,
  ],
  [
    'a READY of 48 MiB',
    shaking(longHeader(48n << 20n, command), Buffer.from('\x05READY')),
    badReady,
  ],
  ['a READY of 2^63 bytes', shaking(longHeader(1n << 63n, command)), badReady],
  ['an ERROR whose reason is cut off', shaking(commandFrame('ERROR', '\x20oh')), badError],
  ['an ERROR without a reason', shaking(commandFrame('ERROR')), badError],
]

describe('instead of a handshake', () => {
  test.each(attacks)('%s', async (_, bytes, ending) => {
    const victim = await Victim.start()
    const seen = nextEnding(victim.pull)
    const attacker = await victim.attacker()
    attacker.write(bytes)
    expect(await seen).toEqual(ending)
    await attacker.closed
    await victim.serves()
  })

  test('an ERROR with a reason ends the handshake without blame', async () => {
    const victim = await Victim.start()
    const seen = nextEnding(victim.pull)
    const attacker = await victim.attacker()
    attacker.write(shaking(commandFrame('ERROR', '\x02no')))
    expect((await seen)[0]).toBe('handshake:error:other')
    await attacker.closed
    await victim.serves()
  })

  test('a greeting cut off at any byte', async () => {
    const victim = await Victim.start()
    await Promise.all(
      Array.from({ length: 64 }, async (_, size) => {
        const attacker = await victim.attacker()
        attacker.write(greeting().subarray(0, size)).socket.end()
        await attacker.closed
      }),
    )
    await victim.serves()
  })

  test('a READY cut off at any byte', async () => {
    const victim = await Victim.start()
    const whole = shaking(ready('PUSH'))
    await Promise.all(
      Array.from({ length: whole.length - 64 }, async (_, size) => {
        const attacker = await victim.attacker()
        attacker.write(whole.subarray(0, 64 + size)).socket.end()
        await attacker.closed
      }),
    )
    await victim.serves()
  })

  test('a greeting with any vital byte wrong', async () => {
    const victim = await Victim.start()
    const vital = [0, 9, 10, ...Array.from({ length: 20 }, (_, i) => 12 + i)]
    await Promise.all(
      vital.map(async (at) => {
        const bytes = shaking(ready('PUSH'), frame('bad'))
        bytes[at] = at === 10 ? 2 : (bytes[at] as number) ^ 0x01
        const attacker = await victim.attacker()
        attacker.write(bytes)
        await attacker.closed
      }),
    )
    await victim.serves()
  })

  test('a greeting with any other byte changed is accepted', async () => {
    const victim = await Victim.start()
    const free = [32, 33, 40, 50, 63]
    for (const at of free) {
      const bytes = greeting()
      bytes[at] = 0xff
      const peer = await victim.attacker()
      peer.write(bytes, ready('PUSH'))
      await peer.welcome()
      peer.write(frame(`byte ${at}`))
      expect((await victim.pull.receive()).map(String)).toEqual([`byte ${at}`])
    }
  })

  test('a handshake in single bytes is a handshake', async () => {
    const victim = await Victim.start()
    const peer = await victim.attacker()
    peer.socket.setNoDelay(true)
    for (const byte of shaking(ready('PUSH'))) {
      await new Promise((resolve) => peer.socket.write(Buffer.from([byte]), resolve))
    }
    await peer.welcome()
    peer.write(frame('slow but good'))
    expect((await victim.pull.receive()).map(String)).toEqual(['slow but good'])
  })

  test('a READY in a long frame is a READY', async () => {
    const victim = await Victim.start()
    const peer = await victim.attacker()
    const body = ready('PUSH').subarray(2)
    peer.write(greeting(), frame(body, command | long))
    await peer.welcome()
    peer.write(frame('good', long))
    expect((await victim.pull.receive()).map(String)).toEqual(['good'])
  })
})

describe('silence', () => {
  test('a silent peer is dropped when its time is up', async () => {
    const victim = await Victim.start({ handshakeInterval: 100 })
    const seen = nextEnding(victim.pull)
    const attacker = await victim.attacker()
    expect((await seen)[0]).toBe('handshake:error:other')
    await attacker.closed
    await victim.serves()
  })

  test('so is one that keeps sending a byte: the deadline is for all of the handshake', async () => {
    const victim = await Victim.start({ handshakeInterval: 200 })
    const attacker = await victim.attacker()
    const bytes = greeting()
    let at = 0
    // 63 bytes would take six times the deadline, each well within it.
    const dribble = setInterval(() => at < 63 && attacker.write(bytes.subarray(at, ++at)), 20)
    await attacker.closed
    clearInterval(dribble)
    expect(at).toBeLessThan(63)
    await victim.serves()
  })

  test('work is never given to a peer that has not shaken hands', async () => {
    const push = new zmq.Push({ linger: 0, sendTimeout: 10_000 })
    const pull = new zmq.Pull({ receiveTimeout: 10_000 })
    await push.bind('tcp://127.0.0.1:*')
    const endpoint = push.lastEndpoint as string
    for (let i = 0; i < 10; i++) {
      const accepted = nextEvent(push, 'accept')
      await RawPeer.connect(endpoint)
      await accepted
    }
    pull.connect(endpoint)
    for (let i = 0; i < 100; i++) await push.send(`task ${i}`)
    for (let i = 0; i < 100; i++) expect(String(await pull.receive())).toBe(`task ${i}`)
    push.close()
    pull.close()
  })

  test('hundreds of silent peers do not keep others from being served', async () => {
    const victim = await Victim.start()
    await Promise.all(Array.from({ length: 300 }, () => victim.attacker()))
    await victim.serves()
    const late = new zmq.Push({ linger: 0, sendTimeout: 10_000 })
    late.connect(victim.endpoint)
    await late.send('a newcomer')
    expect(String(await victim.pull.receive())).toBe('a newcomer')
    late.close()
  })
})
