// What a peer may send after a good handshake: breaches end its connection and deliver nothing;
// oddities that the protocol allows do no harm.
import { describe, expect, test } from 'vitest'
import { nextEnding, nextEvent, Victim } from './victim.js'
import {
  command,
  commandFrame,
  frame,
  long,
  longHeader,
  more,
  type RawPeer,
  ready,
} from './wire.js'

const head = frame('head', more)

/** A victim and an attacker that has shaken hands with it. */
async function shaken(options: Parameters<typeof Victim.start>[0] = {}) {
  const victim = await Victim.start(options)
  const attacker = await victim.attacker()
  const met = nextEvent(victim.pull, 'handshake')
  await attacker.handshake('PUSH')
  await met
  return { victim, attacker }
}

async function expectDropped(victim: Victim, attacker: RawPeer, ...bytes: Buffer[]): Promise<void> {
  const seen = nextEnding(victim.pull)
  attacker.write(...bytes)
  expect((await seen)[0]).toBe('disconnect')
  await attacker.closed
  await victim.serves()
}

const breaches: readonly (readonly [string, readonly Buffer[]])[] = [
  ...[3, 4, 5, 6, 7].map((bit) => [`reserved flag bit ${bit}`, [frame('x', 1 << bit)]] as const),
  ['all flags', [frame('x', 0xff)]],
  ['a command with MORE', [frame('\x04PING\0\0', command | more)]],
  ['another READY', [ready('PUSH')]],
  ['ERROR', [commandFrame('ERROR', '\x02no')]],
  ['an empty command', [frame('', command)]],
  ['a command name beyond its frame', [frame('\x09PING', command)]],
  ['PING without a time to live', [commandFrame('PING', '\0')]],
  ['PING with 17 bytes of context', [commandFrame('PING', `\0\0${'x'.repeat(17)}`)]],
  ['a frame of 2^63 bytes', [longHeader(1n << 63n)]],
  ['a frame of 2^64 - 1 bytes', [longHeader((1n << 64n) - 1n)]],
  ['a frame of 2^64 - 9 bytes', [longHeader((1n << 64n) - 9n)]],
  ['a command of 2^63 bytes', [longHeader(1n << 63n, command)]],
]

describe('breaches', () => {
  test.each(breaches)('%s', async (_, frames) => {
    const { victim, attacker } = await shaken()
    await expectDropped(victim, attacker, ...frames)
  })

  test('are never half delivered: the parts before are dropped', async () => {
    const { victim, attacker } = await shaken()
    await expectDropped(victim, attacker, frame('whole'.repeat(9), more), frame('x', 0x10))
  })

  test('do not take back the whole messages before', async () => {
    const { victim, attacker } = await shaken()
    const seen = nextEnding(victim.pull)
    attacker.write(frame('one'), frame('two', more), frame('three'), frame('x', 0x80))
    await seen
    expect((await victim.pull.receive()).map(String)).toEqual(['one'])
    expect((await victim.pull.receive()).map(String)).toEqual(['two', 'three'])
    await victim.serves()
  })
})

describe('limits', () => {
  test('a part larger than maxMessageSize, by its header alone', async () => {
    const { victim, attacker } = await shaken({ maxMessageSize: 1000 })
    attacker.write(frame('x'.repeat(1000)))
    expect((await victim.pull.receive())[0]?.length).toBe(1000)
    await expectDropped(victim, attacker, longHeader(1001n))
  })

  test('a message larger than maxMultipartSize', async () => {
    const { victim, attacker } = await shaken({ maxMultipartSize: 1000 })
    attacker.write(frame('x'.repeat(500), more), frame('x'.repeat(500)))
    expect((await victim.pull.receive()).length).toBe(2)
    await expectDropped(victim, attacker, frame('x'.repeat(500), more), frame('x'.repeat(501)))
  })

  test('a message of more parts than maxMessageParts', async () => {
    const { victim, attacker } = await shaken({ maxMessageParts: 10 })
    const parts = Array.from({ length: 9 }, () => frame('x', more))
    attacker.write(...parts, frame('x'))
    expect((await victim.pull.receive()).length).toBe(10)
    await expectDropped(victim, attacker, ...parts, frame('x', more), frame('x'))
  })

  test.each([0, 1])(
    'endless parts of %i bytes end somewhere without being asked to',
    async (size) => {
      const { victim, attacker } = await shaken()
      const seen = nextEnding(victim.pull)
      const burst = Buffer.concat(
        Array.from({ length: 10_000 }, () => frame('x'.repeat(size), more)),
      )
      const pour = () => {
        if (!attacker.socket.destroyed) attacker.socket.write(burst, () => setImmediate(pour))
      }
      pour()
      expect((await seen)[0]).toBe('disconnect')
      await victim.serves()
    },
  )

  test.each([33n, 40n, 62n])(
    'a claim of 2^%i bytes takes no memory before they come',
    async (exponent) => {
      const victim = await Victim.start()
      const before = process.memoryUsage().rss
      const attackers = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const attacker = await victim.attacker()
          await attacker.handshake('PUSH')
          return attacker.write(longHeader(1n << exponent), Buffer.alloc(1000))
        }),
      )
      await victim.serves()
      expect(process.memoryUsage().rss - before).toBeLessThan(256 << 20)
      for (const attacker of attackers) attacker.socket.destroy()
      await victim.serves()
    },
  )
})

describe('odd, but allowed', () => {
  const oddities: readonly (readonly [string, Buffer[]])[] = [
    ['an unknown command', [commandFrame('WHATEVER', 'x'.repeat(1000))]],
    ['a PONG nobody asked for', [commandFrame('PONG', 'x')]],
    ['SUBSCRIBE to a PULL', [commandFrame('SUBSCRIBE', 'x'), commandFrame('CANCEL', 'x')]],
    ['JOIN', [commandFrame('JOIN', 'x')]],
  ]

  test.each(oddities)('%s', async (_, frames) => {
    const { victim, attacker } = await shaken()
    attacker.write(...frames, frame('a message'))
    expect((await victim.pull.receive()).map(String)).toEqual(['a message'])
    await victim.serves()
  })

  test.each([0, 1, 16])('PING with %i bytes of context, which PONG repeats', async (size) => {
    const { victim, attacker } = await shaken()
    const context = 'c'.repeat(size)
    attacker.write(commandFrame('PING', `\0\0${context}`))
    expect((await attacker.command('PONG')).body.toString()).toBe(`\x04PONG${context}`)
    await victim.serves()
  })

  // libzmq's heartbeats do not wait for the end of a message.
  test('a command between the parts of a message', async () => {
    const { victim, attacker } = await shaken()
    attacker.write(head, commandFrame('PING', '\0\0'), frame('tail'))
    await attacker.command('PONG')
    expect((await victim.pull.receive()).map(String)).toEqual(['head', 'tail'])
    await victim.serves()
  })

  test('long frames with short bodies', async () => {
    const { victim, attacker } = await shaken()
    attacker.write(frame('', long | more), frame('x', long | more), frame('y'.repeat(255), long))
    expect((await victim.pull.receive()).map(String)).toEqual(['', 'x', 'y'.repeat(255)])
    await victim.serves()
  })

  test('a flood of PINGs whose answers are not read', async () => {
    const { victim, attacker } = await shaken()
    attacker.socket.pause()
    const before = process.memoryUsage().rss
    const burst = Buffer.concat(Array.from({ length: 10_000 }, () => commandFrame('PING', '\0\0')))
    for (let i = 0; i < 20; i++) attacker.write(burst)
    for (let i = 0; i < 20; i++) await victim.serves()
    expect(process.memoryUsage().rss - before).toBeLessThan(256 << 20)
    attacker.socket.resume()
    await attacker.command('PONG')
    await victim.serves()
  })
})

describe('a peer that goes', () => {
  test.each([
    ['in a header', Buffer.from([0])],
    ['in a long header', longHeader(1000n).subarray(0, 5)],
    ['in a body', frame('unfinished').subarray(0, 6)],
    ['in a large body', Buffer.concat([longHeader(1n << 20n), Buffer.alloc(500_000)])],
    ['between two parts', head],
    ['in the second part', Buffer.concat([head, frame('unfinished').subarray(0, 6)])],
    ['in a command', commandFrame('PING', '\0\0').subarray(0, 5)],
  ])('%s: nothing of it is delivered', async (_, bytes) => {
    const { victim, attacker } = await shaken()
    const gone = nextEvent(victim.pull, 'disconnect')
    attacker.write(bytes).socket.end()
    await gone
    await victim.serves()
  })

  test('by a reset', async () => {
    const { victim, attacker } = await shaken()
    const gone = nextEvent(victim.pull, 'disconnect')
    attacker.write(head).socket.resetAndDestroy()
    await gone
    await victim.serves()
  })

  test('after its last message: that one is delivered', async () => {
    const { victim, attacker } = await shaken()
    const gone = nextEvent(victim.pull, 'disconnect')
    attacker.write(frame('farewell')).socket.end()
    await gone
    expect((await victim.pull.receive()).map(String)).toEqual(['farewell'])
    await victim.serves()
  })
})
