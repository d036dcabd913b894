// Messages that are good ZMTP but make no sense to the pattern that receives them.
import { describe, expect, onTestFinished, test } from 'vitest'
import * as zmq from '../../lib/index.js'
import { nextEnding, nextEvent } from './victim.js'
import { commandFrame, frame, greeting, more, property, RawPeer, RawServer, ready } from './wire.js'

async function bound<S extends zmq.Socket>(socket: S): Promise<readonly [S, string]> {
  onTestFinished(() => socket.close())
  await socket.bind('tcp://127.0.0.1:*')
  return [socket, socket.lastEndpoint as string] as const
}

function client<S extends zmq.Socket>(socket: S, endpoint: string): S {
  onTestFinished(() => socket.close())
  socket.connect(endpoint)
  return socket
}

const patient = { receiveTimeout: 10_000, sendTimeout: 10_000, linger: 0 }
const texts = (parts: Buffer[]) => parts.map(String)

describe('a Reply', () => {
  const envelopes: readonly (readonly [string, Buffer[]])[] = [
    ['no empty part', [frame('id', more), frame('question')]],
    ['a single part', [frame('question')]],
    [
      '1000 parts and none empty',
      [...Array.from({ length: 999 }, () => frame('hop', more)), frame('q')],
    ],
  ]

  test.each(envelopes)('passes over requests with %s', async (_, frames) => {
    const [reply, endpoint] = await bound(new zmq.Reply(patient))
    const attacker = await RawPeer.connect(endpoint)
    await attacker.handshake('DEALER')
    attacker.write(...frames)
    const request = client(new zmq.Request(patient), endpoint)
    await request.send('honest')
    expect(texts(await reply.receive())).toEqual(['honest'])
    await reply.send('answer')
    expect(texts(await request.receive())).toEqual(['answer'])
  })

  test('returns a long envelope as it came', async () => {
    const [reply, endpoint] = await bound(new zmq.Reply(patient))
    const peer = await RawPeer.connect(endpoint)
    await peer.handshake('DEALER')
    const hops = Array.from({ length: 1000 }, (_, i) => frame(`hop ${i}`, more))
    peer.write(...hops, frame('', more), frame('question'))
    expect(texts(await reply.receive())).toEqual(['question'])
    await reply.send('answer')
    for (let i = 0; i < 1000; i++) expect(String((await peer.frame()).body)).toBe(`hop ${i}`)
    expect((await peer.frame()).body.length).toBe(0)
    expect(String((await peer.frame()).body)).toBe('answer')
  })

  test('whose requester has gone loses the reply, nothing else', async () => {
    const [reply, endpoint] = await bound(new zmq.Reply(patient))
    const leaver = await RawPeer.connect(endpoint)
    await leaver.handshake('REQ')
    leaver.write(frame('', more), frame('question'))
    expect(texts(await reply.receive())).toEqual(['question'])
    const gone = nextEvent(reply, 'disconnect')
    leaver.socket.destroy()
    await gone
    await reply.send('to nobody')
    const request = client(new zmq.Request(patient), endpoint)
    await request.send('honest')
    expect(texts(await reply.receive())).toEqual(['honest'])
  })
})

describe('a Request', () => {
  /** A server that has taken a request and may answer it with these bytes. */
  async function asked(options: object = {}) {
    const server = await RawServer.listen()
    const request = client(new zmq.Request({ ...patient, ...options }), server.endpoint)
    const peer = await server.accept()
    await peer.handshake('ROUTER')
    await request.send('question')
    return { request, peer }
  }

  test.each([
    ['without an empty part', [frame('no delimiter')]],
    ['with parts before the empty one', [frame('id', more), frame('', more), frame('wrong')]],
    [
      'before it was asked for, twice',
      [frame('', more), frame('one'), frame('', more), frame('two')],
    ],
  ])('does not deliver a reply %s', async (name, frames) => {
    const { request, peer } = await asked()
    peer.write(...frames)
    if (name.startsWith('before')) {
      expect(texts(await request.receive())).toEqual(['one'])
      await request.send('another question')
    }
    peer.write(frame('', more), frame('right'))
    // The connection may be ended for that; what is delivered is never the wrong reply.
    const outcome = await Promise.race([request.receive().then(texts), peer.closed])
    expect([['right'], undefined]).toContainEqual(outcome)
  })

  test('with correlate does not deliver the reply to another request', async () => {
    const { request, peer } = await asked({ correlate: true })
    const id = (await peer.frame()).body
    expect(id.length).toBe(4)
    const other = Buffer.from(id)
    other[3] = (other[3] as number) ^ 1
    peer.write(frame(other, more), frame('', more), frame('wrong'))
    peer.write(frame(id, more), frame('', more), frame('right'))
    expect(texts(await request.receive())).toEqual(['right'])
  })
})

describe('a Publisher', () => {
  async function watched() {
    const [xpub, endpoint] = await bound(new zmq.XPublisher(patient))
    const attacker = await RawPeer.connect(endpoint)
    await attacker.handshake('SUB')
    return { xpub, endpoint, attacker }
  }

  async function serves(xpub: zmq.XPublisher, endpoint: string): Promise<void> {
    const sub = client(new zmq.Subscriber({ receiveTimeout: 10_000 }), endpoint)
    sub.subscribe('honest')
    for (;;) if (texts(await xpub.receive())[0] === '\x01honest') break
    await xpub.send(['honest', 'news'])
    expect(texts(await sub.receive())).toEqual(['honest', 'news'])
  }

  test('takes 100,000 subscriptions of one peer', async () => {
    const { xpub, endpoint, attacker } = await watched()
    for (let i = 0; i < 100; i++) {
      const topic = (n: number) => frame(`\x01topic ${i * 1000 + n}`)
      attacker.write(...Array.from({ length: 1000 }, (_, n) => topic(n)))
    }
    await serves(xpub, endpoint)
  })

  test('takes a topic of 1 MiB, and its end', async () => {
    const { xpub, endpoint, attacker } = await watched()
    const topic = 'deep'.repeat(1 << 18)
    attacker.write(frame(`\x01${topic}`), frame(`\x00${topic}`))
    expect((await xpub.receive())[0]?.length).toBe(topic.length + 1)
    expect((await xpub.receive())[0]?.length).toBe(topic.length + 1)
    await serves(xpub, endpoint)
  })

  test('ignores the end of subscriptions that never were', async () => {
    const { xpub, endpoint, attacker } = await watched()
    attacker.write(frame('\x00never'), commandFrame('CANCEL', 'never'), frame('\x01real'))
    for (;;) {
      const [change] = texts(await xpub.receive())
      if (change === '\x01real') break
      expect(change).toBe('\x00never')
    }
    await serves(xpub, endpoint)
  })

  test('is not disturbed by messages and empty frames from subscribers', async () => {
    const [pub, endpoint] = await bound(new zmq.Publisher())
    const attacker = await RawPeer.connect(endpoint)
    await attacker.handshake('SUB')
    attacker.write(frame('a message'), frame(''), frame('two', more), frame('parts'))
    attacker.write(frame('\x01mine'))
    const received = attacker.frame()
    let arrived = false
    received.then(() => {
      arrived = true
    })
    while (!arrived) {
      await pub.send('mine')
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(String((await received).body)).toBe('mine')
  })
})

describe('a Subscriber', () => {
  test('does not deliver what it has not subscribed to, whoever sends it', async () => {
    const server = await RawServer.listen()
    const sub = client(new zmq.Subscriber({ receiveTimeout: 10_000 }), server.endpoint)
    sub.subscribe('wanted')
    const publisher = await server.accept()
    await publisher.handshake('PUB')
    publisher.write(frame('unasked'), frame('wante', more), frame('wanted'), frame(''))
    publisher.write(frame('wanted', more), frame('news'))
    expect(texts(await sub.receive())).toEqual(['wanted', 'news'])
  })
})

describe('a Router', () => {
  test('keeps the first of two peers of the same name, unless told to hand over', async () => {
    const [router, endpoint] = await bound(new zmq.Router(patient))
    const first = client(new zmq.Dealer({ ...patient, routingId: 'same' }), endpoint)
    await first.send('first')
    expect(texts(await router.receive())).toEqual(['same', 'first'])
    const second = await RawPeer.connect(endpoint)
    await second.handshake('DEALER', 1, [property('Identity', 'same')])
    second.write(frame('second'))
    const witness = client(new zmq.Dealer({ ...patient, routingId: 'witness' }), endpoint)
    await witness.send('after that')
    expect(texts(await router.receive())).toEqual(['witness', 'after that'])
    await router.send(['same', 'for the first'])
    expect(texts(await first.receive())).toEqual(['for the first'])
  })

  test('drops what is for nobody, and goes on', async () => {
    const [router, endpoint] = await bound(new zmq.Router(patient))
    await router.send(['nobody', 'lost'])
    await router.send(['', 'lost'])
    await router.send(['x'.repeat(300), 'lost'])
    const dealer = client(new zmq.Dealer({ ...patient, routingId: 'real' }), endpoint)
    await dealer.send('here')
    expect(texts(await router.receive())).toEqual(['real', 'here'])
    await router.send(['real', 'found'])
    expect(texts(await dealer.receive())).toEqual(['found'])
  })

  test('survives peers that come and go by the hundred', async () => {
    const [router, endpoint] = await bound(new zmq.Router(patient))
    for (let round = 0; round < 10; round++) {
      const peers = Array.from({ length: 30 }, async (_, i) => {
        const peer = await RawPeer.connect(endpoint)
        await peer.handshake('DEALER', 1, [property('Identity', `${round}-${i}`)])
        peer.write(frame('hello')).socket.end()
      })
      await Promise.all(peers)
    }
    const seen = new Set<string>()
    while (seen.size < 300) seen.add(texts(await router.receive()).join())
    expect([...seen].every((text) => /^\d-\d+,hello$/.test(text))).toBe(true)
  })
})

describe('a Pair', () => {
  test('refuses a second peer while it has one', async () => {
    const [pair, endpoint] = await bound(new zmq.Pair(patient))
    const first = client(new zmq.Pair(patient), endpoint)
    await first.send('first')
    expect(texts(await pair.receive())).toEqual(['first'])
    const second = await RawPeer.connect(endpoint)
    await second.handshake('PAIR')
    second.write(frame('second'))
    await first.send('still the first')
    expect(texts(await pair.receive())).toEqual(['still the first'])
    await second.closed
  })
})

test('a client that meets a server of the wrong kind says so and tries again', async () => {
  const server = await RawServer.listen()
  const push = client(new zmq.Push({ linger: 0, reconnectInterval: 10 }), server.endpoint)
  const seen = nextEnding(push)
  const wrong = await server.accept()
  wrong.write(greeting(), ready('PUB'))
  expect(await seen).toEqual(['handshake:error:protocol', 'ERR_ZMTP_INVALID_METADATA'])
  const right = await server.accept()
  await right.handshake('PULL')
  await push.send('at last')
  expect(String((await right.frame()).body)).toBe('at last')
})
