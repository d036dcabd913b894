import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Pair, Pull, Push, Reply, Request } from '../../lib/index.js'
import { endpoint, link, own, texts } from './support.js'

/** Of WebAssembly: two pages of 64 KiB, which move when it grows. */
function growableMemory(): { buffer: ArrayBuffer; grow(pages: number): void } {
  const { Memory } = Reflect.get(globalThis, 'WebAssembly')
  return new Memory({ initial: 2 })
}

async function pipeline() {
  const [push, pull] = own(new Push(), new Pull())
  await link(pull, push)
  return { push, pull }
}

describe('send', () => {
  test.each([
    ['a string', 'grüße', 'grüße'],
    ['a Buffer', Buffer.from('buffer'), 'buffer'],
    ['a slice of a buffer', new Uint8Array(Buffer.from('xslicex')).subarray(1, 6), 'slice'],
    ['a DataView', new DataView(new Uint8Array([65, 66, 67]).buffer, 1), 'BC'],
    ['an ArrayBuffer', new Uint8Array([65, 66]).buffer, 'AB'],
    ['a typed array of wider elements', new Uint16Array([0x4241]), 'AB'],
    ['a number', 16.25, '16.25'],
    ['null', null, ''],
    ['an empty string', '', ''],
  ])('takes %s', async (_name, message, text) => {
    const { push, pull } = await pipeline()
    await push.send(message)
    await push.send(['envelope', message])
    expect(texts(await pull.receive())).toEqual([text])
    expect(texts(await pull.receive())).toEqual(['envelope', text])
  })

  test('takes a SharedArrayBuffer', async () => {
    const { push, pull } = await pipeline()
    const shared = new SharedArrayBuffer(2)
    new Uint8Array(shared).set([72, 105])
    await push.send(shared)
    expect(texts(await pull.receive())).toEqual(['Hi'])
  })

  test.each([undefined, true, {}, () => 1, Symbol('s'), 5n, new Date()])(
    'refuses %s',
    async (message) => {
      const { push } = await pipeline()
      await expect(push.send(message as never)).rejects.toThrow(TypeError)
      await expect(push.send(['ok', message as never])).rejects.toThrow(TypeError)
    },
  )

  test('refuses a message without parts', async () => {
    const { push } = await pipeline()
    await expect(push.send([])).rejects.toMatchObject({ code: 'EINVAL' })
  })

  test('copies small parts', async () => {
    const { push, pull } = await pipeline()
    const part = Buffer.from('before')
    const sent = push.send(part)
    part.write('after!')
    await sent
    expect(texts(await pull.receive())).toEqual(['before'])
  })

  test('does not lose large parts that are dropped or shrunk at once', async () => {
    const { push, pull } = await pipeline()
    for (let i = 0; i < 20; i++) await push.send(Buffer.alloc(200_000, String(i % 10)))
    globalThis.gc?.()
    for (let i = 0; i < 20; i++) {
      const [part] = await pull.receive()
      expect(part?.equals(Buffer.alloc(200_000, String(i % 10)))).toBe(true)
    }
  })

  test('keeps the memory of large parts where it is', async () => {
    const { push, pull } = await pipeline()
    const memory = new ArrayBuffer(32 * 1024)
    await push.send(memory)
    // Some versions of Node.js refuse to transfer it, the others copy.
    try {
      structuredClone(memory, { transfer: [memory] })
    } catch (error) {
      expect((error as Error).name).toBe('DataCloneError')
    }
    expect(memory.byteLength).toBe(32 * 1024)
    expect((await pull.receive())[0]?.length).toBe(32 * 1024)
  })

  test('lets memory of WebAssembly grow', async () => {
    const { push, pull } = await pipeline()
    const memory = growableMemory()
    await push.send(new Uint8Array(memory.buffer, 0, 100_000).fill(7))
    memory.grow(1)
    expect((await pull.receive())[0]).toEqual(Buffer.alloc(100_000, 7))
  })

  test('lets timers run however much is accepted', async () => {
    const { push } = await pipeline()
    push.sendHighWaterMark = 0
    let over = false
    setImmediate(() => {
      over = true
    })
    let sent = 0
    while (!over && sent < 100_000) {
      await push.send('x')
      sent += 1
    }
    expect(over).toBe(true)
  })
})

describe('a send that has to wait', () => {
  test('resolves when a peer appears; concurrent ones keep their order', async () => {
    const [push, pull] = own(new Push(), new Pull())
    const address = endpoint()
    await push.bind(address)
    expect(push.writable).toBe(false)
    const sends = Array.from({ length: 50 }, (_, i) => push.send(String(i)))
    pull.connect(address)
    await Promise.all(sends)
    for (let i = 0; i < 50; i++) expect(texts(await pull.receive())).toEqual([String(i)])
  })

  test('makes those behind it wait too', async () => {
    const [push, pull] = own(new Push(), new Pull())
    const address = endpoint()
    await push.bind(address)
    const first = push.send('first')
    await expect(push.send('at once', { timeout: 0 })).rejects.toMatchObject({ code: 'EAGAIN' })
    pull.connect(address)
    await first
    expect(texts(await pull.receive())).toEqual(['first'])
  })

  test('goes on when the receiver catches up', async () => {
    const [push, pull] = own(
      new Push({ sendHighWaterMark: 5 }),
      new Pull({ receiveHighWaterMark: 5 }),
    )
    await link(pull, push, 'tcp')
    const sending = (async () => {
      for (let i = 0; i < 5000; i++) await push.send(`${i} ${'.'.repeat(2000)}`)
    })()
    for (let i = 0; i < 5000; i++) {
      expect(parseInt(String((await pull.receive())[0]), 10)).toBe(i)
    }
    await sending
  })

  test('copies small parts, too', async () => {
    const [push, pull] = own(new Push(), new Pull())
    await push.bind(endpoint('inproc'))
    const buffer = Buffer.alloc(4)
    const waiting: Promise<void>[] = []
    for (let i = 0; i < 3; i += 1) {
      buffer.writeInt32LE(i)
      waiting.push(
        push.send(i === 1 ? buffer.buffer : buffer),
        push.sendMany([buffer, ['x', buffer]]),
      )
    }
    buffer.fill(9)
    pull.connect(push.lastEndpoint as string)
    await Promise.all(waiting)
    for (let i = 0; i < 3; i += 1) {
      for (let message = 0; message < 3; message += 1) {
        expect((await pull.receive()).at(-1)?.readInt32LE()).toBe(i)
      }
    }
  })

  test('copies large parts whose memory may move or shrink', async () => {
    const [push, pull] = own(new Push(), new Pull())
    await push.bind(endpoint('inproc'))
    const memory = growableMemory()
    const sent = push.send(new Uint8Array(memory.buffer, 0, 100_000).fill(7))
    memory.grow(1)
    pull.connect(push.lastEndpoint as string)
    await sent
    expect((await pull.receive())[0]).toEqual(Buffer.alloc(100_000, 7))
  })

  test('can time out', async () => {
    const [push] = own(new Push({ sendTimeout: 3 }))
    await expect(push.send('x')).rejects.toMatchObject({ code: 'EAGAIN' })
    push.sendTimeout = 0
    await expect(push.send('x')).rejects.toMatchObject({ code: 'EAGAIN' })
    await expect(push.send('x', { timeout: 3 })).rejects.toMatchObject({ code: 'EAGAIN' })
  })

  test('can be cancelled, and is not sent then', async () => {
    const [push, pull] = own(new Push(), new Pull())
    const address = endpoint()
    await push.bind(address)
    const controller = new AbortController()
    const cancelled = push.send('cancelled', { signal: controller.signal })
    const kept = push.send('kept')
    controller.abort('changed my mind')
    await expect(cancelled).rejects.toBe('changed my mind')
    pull.connect(address)
    await kept
    expect(texts(await pull.receive())).toEqual(['kept'])
    await nextTurn()
    expect(pull.readable).toBe(false)
  })
})

describe('sends of one turn', () => {
  test('arrive in order, of whatever kind and size they are', async () => {
    const { push, pull } = await pipeline()
    const large = 'x'.repeat(100_000)
    const kinds = ['', 'small', 'grüße', 'm'.repeat(2000), large, 7, null, Buffer.from('buffer')]
    const messages = Array.from({ length: 400 }, (_, i) => {
      const kind = kinds[i % kinds.length] as string
      return i % 3 === 0 ? [String(i), kind, kind] : [kind, String(i)]
    })
    const sent = messages.map((message) => push.send(message))
    for (const message of messages) {
      expect(texts(await pull.receive())).toEqual(message.map((part) => String(part ?? '')))
    }
    await Promise.all(sent)
  })

  test('may be begun while the parts of another are read', async () => {
    const { push, pull } = await pipeline()
    const sent: Promise<void>[] = []
    const parts = Object.defineProperty(['first', ''], 1, {
      get: () => {
        sent.push(push.send('inner'))
        return 'second'
      },
    })
    sent.push(push.send('before'), push.send(parts), push.send('after'))
    await Promise.all(sent)
    const received: string[][] = []
    while (received.at(-1)?.[0] !== 'after') received.push(texts(await pull.receive()))
    expect(received.filter(([text]) => text !== 'inner')).toEqual([
      ['before'],
      ['first', 'second'],
      ['after'],
    ])
    expect(received.length).toBe(sent.length)
  })

  test('wait for another peer when theirs has gone meanwhile', async () => {
    const [push, first, second] = own(new Push(), new Pull(), new Pull())
    await link(first, push)
    await push.send('for the first')
    expect(texts(await first.receive())).toEqual(['for the first'])
    await nextTurn()
    await push.send('lost with the first')
    first.close()
    // Accepted, since in this turn nobody looks again whether the peer is still there.
    await push.send(['for', 'the second'])
    await push.send('and more')
    await nextTurn()
    const waiting = push.send('last')
    await link(second, push)
    expect(texts(await second.receive())).toEqual(['for', 'the second'])
    expect(texts(await second.receive())).toEqual(['and more'])
    await waiting
    expect(texts(await second.receive())).toEqual(['last'])
  })

  test('time out when theirs has gone since', async () => {
    const { push, pull } = await pipeline()
    push.sendTimeout = 0
    await push.send('1')
    expect(texts(await pull.receive())).toEqual(['1'])
    pull.close()
    await nextTurn()
    await expect(push.send('2')).rejects.toMatchObject({ code: 'EAGAIN' })
  })

  test('go before the socket is closed', async () => {
    const { push, pull } = await pipeline()
    await push.send('warm up')
    push.send('last')
    push.close()
    expect(texts(await pull.receive())).toEqual(['warm up'])
    expect(texts(await pull.receive())).toEqual(['last'])
  })
})

describe('sendMany', () => {
  test('sends messages of one and of several parts in order', async () => {
    const { push, pull } = await pipeline()
    await push.sendMany(['one', ['two', 'parts'], null, 4])
    const received = []
    for (let i = 0; i < 4; i++) received.push(texts(await pull.receive()))
    expect(received).toEqual([['one'], ['two', 'parts'], [''], ['4']])
  })

  test('waits for room for all of them', async () => {
    const [push, pull] = own(
      new Push({ sendHighWaterMark: 10 }),
      new Pull({ receiveHighWaterMark: 10 }),
    )
    await link(pull, push)
    const messages = Array.from({ length: 500 }, (_, i) => String(i))
    const sending = push.sendMany(messages)
    const after = push.send('last')
    for (const text of [...messages, 'last']) expect(texts(await pull.receive())).toEqual([text])
    await Promise.all([sending, after])
  })

  test('takes nothing for an empty list', async () => {
    const [push] = own(new Push({ sendTimeout: 0 }))
    await expect(push.sendMany([])).resolves.toBeUndefined()
  })

  test('sends none when one cannot be sent', async () => {
    const { push, pull } = await pipeline()
    await expect(push.sendMany(['fine', {} as never])).rejects.toThrow(TypeError)
    await expect(push.sendMany(['fine', []])).rejects.toMatchObject({ code: 'EINVAL' })
    await expect(push.sendMany('text' as never)).rejects.toThrow(TypeError)
    await nextTurn()
    expect(pull.readable).toBe(false)
  })
})

describe('out of turn', () => {
  test('a Reply without request fails at once', async () => {
    const [reply] = own(new Reply())
    await reply.bind(endpoint())
    await expect(reply.send('to whom?')).rejects.toMatchObject({ code: 'EFSM' })
  })

  test('a Request cannot be sent twice, nor receive first', async () => {
    const [request, reply] = own(new Request(), new Reply())
    await link(reply, request)
    await expect(request.receive()).rejects.toMatchObject({ code: 'EFSM' })
    await request.send('first')
    await expect(request.send('second')).rejects.toMatchObject({ code: 'EFSM' })
    await reply.receive()
    await expect(reply.receive()).rejects.toMatchObject({ code: 'EFSM' })
    await reply.send('answer')
    expect(texts(await request.receive())).toEqual(['answer'])
  })
})

test('receiving goes on while a send waits, and the other way round', async () => {
  const [one, two] = own(new Pair(), new Pair())
  const receiving = one.receive()
  const sending = one.send('to two')
  await link(two, one)
  await two.send('to one')
  expect(texts(await receiving)).toEqual(['to one'])
  await sending
  expect(texts(await two.receive())).toEqual(['to two'])
})
