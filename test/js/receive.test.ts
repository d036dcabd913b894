import { setImmediate as nextTurn } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { Pull, Push, Reply } from '../../lib/index.js'
import { endpoint, link, own, texts } from './support.js'

async function pipeline(options: ConstructorParameters<typeof Pull>[0] = {}) {
  const [push, pull] = own(new Push(), new Pull(options))
  await link(pull, push)
  return { push, pull }
}

function numbers(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => String(from + i))
}

describe('receive', () => {
  test('waits for a message', async () => {
    const { push, pull } = await pipeline()
    const pending = pull.receive()
    await push.send('late')
    expect(texts(await pending)).toEqual(['late'])
  })

  test('serves concurrent calls in order', async () => {
    const { push, pull } = await pipeline()
    const pending = Array.from({ length: 10 }, () => pull.receive())
    await push.sendMany(numbers(10))
    const messages = await Promise.all(pending)
    expect(messages.flatMap(texts)).toEqual(numbers(10))
  })

  test('delivers all of a flood, in order', async () => {
    const { push, pull } = await pipeline()
    const sending = push.sendMany(numbers(20_000))
    for (let i = 0; i < 20_000; i++) {
      const [part] = await pull.receive()
      if (String(part) !== String(i)) throw new Error(`${part} instead of ${i}`)
    }
    await sending
    expect(pull.readable).toBe(false)
  })

  test('lets timers run during a flood', async () => {
    const { push, pull } = await pipeline({ receiveHighWaterMark: 0 })
    push.sendHighWaterMark = 0
    await push.sendMany(numbers(8000))
    let received = 0
    let seen = -1
    setImmediate(() => {
      seen = received
    })
    while (received < 8000) {
      await pull.receive()
      received += 1
    }
    expect(seen).toBeGreaterThanOrEqual(0)
    expect(seen).toBeLessThanOrEqual(4000)
  })

  test('leaves messages readable that were fetched but not taken', async () => {
    const { push, pull } = await pipeline()
    await push.sendMany(['a', 'b', 'c'])
    await pull.receive()
    expect(pull.readable).toBe(true)
    expect(texts(await pull.receive({ timeout: 0 }))).toEqual(['b'])
    expect(texts(await pull.receive({ timeout: 0 }))).toEqual(['c'])
    expect(pull.readable).toBe(false)
  })

  test('gives parts that stay as they are', async () => {
    const { push, pull } = await pipeline()
    const kept: Buffer[] = []
    for (let i = 0; i < 3000; i++) {
      await push.send(`message ${i} ${'.'.repeat(i % 300)}`)
      kept.push(...(await pull.receive()))
    }
    const wrong = kept.filter((part, i) => String(part) !== `message ${i} ${'.'.repeat(i % 300)}`)
    expect(wrong).toEqual([])
  })

  test('goes on when the program has given the memory of a part away', async () => {
    const { push, pull } = await pipeline()
    for (let i = 0; i < 3; i += 1) {
      await push.send(`part ${i}`)
      const [part] = await pull.receive()
      expect(String(part)).toBe(`part ${i}`)
      const stream = new ReadableStream({
        type: 'bytes',
        pull: (controller) => controller.enqueue(part as Buffer<ArrayBuffer>),
      })
      // Refused from Node.js 24 on.
      await stream
        .getReader()
        .read()
        .catch(() => {})
    }
  })

  test('checks its options', async () => {
    const { pull } = await pipeline()
    await expect(pull.receive(5 as never)).rejects.toThrow(TypeError)
    await expect(pull.receive({ timeout: '1' as never })).rejects.toThrow(TypeError)
    await expect(pull.receive({ timeout: 0.5 })).rejects.toThrow(RangeError)
    await expect(pull.receive({ signal: {} as never })).rejects.toThrow(TypeError)
  })
})

describe('receiveMany', () => {
  test('waits for the first message and returns what is at hand', async () => {
    const { push, pull } = await pipeline()
    const pending = pull.receiveMany()
    await push.sendMany(numbers(50))
    const received = (await pending).flat()
    while (received.length < 50) received.push(...(await pull.receiveMany()).flat())
    expect(texts(received)).toEqual(numbers(50))
  })

  test('returns no more than asked for', async () => {
    const { push, pull } = await pipeline()
    await push.sendMany(numbers(10))
    expect((await pull.receiveMany(3)).flatMap(texts)).toEqual(numbers(3))
    expect((await pull.receiveMany(1)).flatMap(texts)).toEqual(['3'])
    expect((await pull.receiveMany()).flatMap(texts)).toEqual(numbers(6, 4))
  })

  test.each([0, -1, 1.5, Number.NaN])('refuses %d as maximum', async (max) => {
    const { pull } = await pipeline()
    await expect(pull.receiveMany(max)).rejects.toThrow(RangeError)
  })
})

describe('timeout', () => {
  test('of the socket rejects with EAGAIN', async () => {
    const { pull } = await pipeline({ receiveTimeout: 5 })
    await expect(pull.receive()).rejects.toMatchObject({ code: 'EAGAIN' })
  })

  test('of 0 rejects at once, but takes what is there', async () => {
    const { push, pull } = await pipeline({ receiveTimeout: 0 })
    await expect(pull.receive()).rejects.toMatchObject({ code: 'EAGAIN' })
    await push.send('here')
    await nextTurn()
    expect(texts(await pull.receive())).toEqual(['here'])
  })

  test('of a call goes before that of the socket', async () => {
    const { push, pull } = await pipeline({ receiveTimeout: 0 })
    const pending = pull.receive({ timeout: -1 })
    await push.send('late')
    expect(texts(await pending)).toEqual(['late'])
    await expect(pull.receive({ timeout: 3 })).rejects.toMatchObject({ code: 'EAGAIN' })
  })

  test('loses no message', async () => {
    const { push, pull } = await pipeline()
    const first = pull.receive({ timeout: 3 })
    const second = pull.receive()
    await expect(first).rejects.toMatchObject({ code: 'EAGAIN' })
    await push.send('kept')
    expect(texts(await second)).toEqual(['kept'])
  })
})

describe('signal', () => {
  test('rejects with its reason', async () => {
    const { pull } = await pipeline()
    const controller = new AbortController()
    const pending = pull.receive({ signal: controller.signal })
    const reason = new Error('no more')
    controller.abort(reason)
    await expect(pending).rejects.toBe(reason)
  })

  test('rejects at once when aborted before', async () => {
    const { push, pull } = await pipeline()
    await push.send('stays')
    const pending = pull.receive({ signal: AbortSignal.abort('never') })
    await expect(pending).rejects.toBe('never')
    expect(texts(await pull.receive())).toEqual(['stays'])
  })

  test('may be of another realm', async () => {
    const { pull } = await pipeline()
    const { signal, abort } = runInNewContext(
      `({
      signal: Object.setPrototypeOf(new EventTarget(), { __proto__: EventTarget.prototype, aborted: false }),
      abort() { this.signal.reason = 'elsewhere'; this.signal.dispatchEvent(new Event('abort')) },
    })`,
      { EventTarget, Event },
    )
    const pending = pull.receive({ signal })
    abort.call({ signal })
    await expect(pending).rejects.toBe('elsewhere')
  })

  test('rejects with system errors as they are', async () => {
    const { pull, push } = await pipeline()
    const reason = Object.assign(new Error('mine'), { code: 'ENOENT', errno: -2 })
    const signal = AbortSignal.abort(reason)
    await expect(pull.receive({ signal })).rejects.toBe(reason)
    await expect(push.send('x', { signal })).rejects.toBe(reason)
  })

  test('hands the message to the next in the queue', async () => {
    const { push, pull } = await pipeline()
    const controllers = [0, 1, 2].map(() => new AbortController())
    const pending = controllers.map(({ signal }) => pull.receive({ signal }))
    controllers[1]?.abort('out')
    await expect(pending[1]).rejects.toBe('out')
    controllers[0]?.abort('out')
    await expect(pending[0]).rejects.toBe('out')
    await push.send('kept')
    expect(texts(await (pending[2] as Promise<Buffer[]>))).toEqual(['kept'])
  })

  test('after delivery changes nothing, and is let go of', async () => {
    const { push, pull } = await pipeline()
    const controller = new AbortController()
    let listeners = 0
    const { signal } = controller
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1
      remove(...args)
    }
    const pending = pull.receive({ signal })
    expect(listeners).toBe(1)
    await push.send('x')
    await pending
    expect(listeners).toBe(0)
    controller.abort()
  })
})

describe('iteration', () => {
  test('yields messages until the socket is closed', async () => {
    const { push, pull } = await pipeline()
    const received: string[] = []
    await push.sendMany(numbers(5))
    for await (const message of pull) {
      received.push(...texts(message))
      if (received.length === 5) setImmediate(() => pull.close())
    }
    expect(received).toEqual(numbers(5))
  })

  test('can be left and taken up again without loss', async () => {
    const { push, pull } = await pipeline()
    await push.sendMany(numbers(600))
    const received: string[] = []
    while (received.length < 600) {
      for await (const message of pull) {
        received.push(...texts(message))
        if (received.length % 7 === 0 || received.length === 600) break
      }
    }
    expect(received).toEqual(numbers(600))
  })

  test('ends at once on a closed socket', async () => {
    const [pull] = own(new Pull())
    pull.close()
    for await (const _ of pull) throw new Error('a message from a closed socket')
  })

  test('return() ends a step that waits; the message goes to another', async () => {
    const { push, pull } = await pipeline()
    const iterator = pull[Symbol.asyncIterator]()
    const step = iterator.next()
    const other = pull.receive()
    await iterator.return?.()
    expect(await step).toEqual({ value: undefined, done: true })
    await push.send('for the other')
    expect(texts(await other)).toEqual(['for the other'])
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
  })

  test('rejects when the socket is out of turn, and at its timeout', async () => {
    const [reply] = own(new Reply({ receiveTimeout: 2 }))
    await reply.bind(endpoint())
    const failed = (async () => {
      for await (const _ of reply) throw new Error('a message from nobody')
    })()
    await expect(failed).rejects.toMatchObject({ code: 'EAGAIN' })
  })

  test('lets timers run during a flood', async () => {
    const { push, pull } = await pipeline({ receiveHighWaterMark: 0 })
    push.sendHighWaterMark = 0
    await push.sendMany(numbers(8000))
    let received = 0
    let turns = 0
    let counting = true
    const count = () => {
      turns += 1
      if (counting) setImmediate(count)
    }
    setImmediate(count)
    for await (const _ of pull) if (++received === 8000) break
    counting = false
    expect(turns).toBeGreaterThanOrEqual(2)
  })

  test('in batches yields all messages in order', async () => {
    const { push, pull } = await pipeline()
    const sending = push.sendMany(numbers(3000))
    const received: string[] = []
    for await (const batch of pull.batches(100)) {
      expect(batch.length).toBeLessThanOrEqual(100)
      received.push(...batch.flatMap(texts))
      if (received.length === 3000) break
    }
    await sending
    expect(received).toEqual(numbers(3000))
  })
})
