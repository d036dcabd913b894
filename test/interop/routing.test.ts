// Routing ids, probes, mandatory routing and correlation between us and real peers.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bound, open, receive, send, unless, until } from './fixture.js'
import { text } from './parts.js'
import { kinds, Peer } from './peer.js'

describe.each(kinds)('with %s', (kind) => {
  let peer: Peer
  beforeAll(async () => {
    peer = await Peer.start(kind)
  })
  afterAll(() => peer.stop())

  test('our ROUTER gives nameless peers ids of 5 bytes starting with 0, each its own', async () => {
    const router = open('ROUTER')
    const endpoint = await bound(router, 'tcp')
    const ids: string[] = []
    for (const name of ['a', 'b']) {
      const dealer = await peer.open('DEALER')
      await dealer.connect(endpoint)
      await dealer.send([text(name)])
      const [id, body] = await receive(router)
      expect(id).toMatch(/^00[0-9a-f]{8}$/)
      expect(body).toBe(text(name))
      await send(router, [id as string, text(`for ${name}`)])
      expect(await dealer.receive()).toEqual([text(`for ${name}`)])
      ids.push(id as string)
    }
    expect(new Set(ids).size).toBe(2)
  })

  test('replies go to the peer that is named, not to others', async () => {
    const router = open('ROUTER')
    const endpoint = await bound(router, 'tcp')
    const [a, b] = await Promise.all(
      ['a', 'b'].map(async (routingId) => {
        const dealer = await peer.open('DEALER', { routingId })
        await dealer.connect(endpoint)
        await dealer.send([text('here')])
        return dealer
      }),
    )
    const seen = [await receive(router), await receive(router)].sort()
    expect(seen).toEqual([
      [text('a'), text('here')],
      [text('b'), text('here')],
    ])
    await send(router, [text('b'), text('1')])
    await send(router, [text('a'), text('2')])
    await send(router, [text('b'), text('3')])
    expect(await b?.receive()).toEqual([text('1')])
    expect(await b?.receive()).toEqual([text('3')])
    expect(await a?.receive()).toEqual([text('2')])
  })

  test('a probe of ours arrives as an empty message', async () => {
    const router = await peer.open('ROUTER')
    const dealer = open('DEALER', { routingId: 'zw', probeRouter: true })
    dealer.connect(await router.bind('tcp://127.0.0.1:*'))
    expect(await router.receive()).toEqual([text('zw'), ''])
  })

  test('a probe of the peer arrives as an empty message', async () => {
    const router = open('ROUTER')
    const dealer = await peer.open('DEALER', { routingId: 'peer', probeRouter: 1 })
    await dealer.connect(await bound(router, 'tcp'))
    expect(await receive(router)).toEqual([text('peer'), ''])
  })

  test('ROUTER to ROUTER, once each knows the other', async () => {
    const ours = open('ROUTER', { routingId: 'zw', mandatory: true })
    const theirs = await peer.open('ROUTER', { routingId: 'peer', mandatory: 1 })
    ours.connect(await theirs.bind('tcp://127.0.0.1:*'))
    const sent = (attempt: Promise<unknown>) =>
      unless(
        ['EHOSTUNREACH'],
        attempt.then(() => true),
      )
    await until(() => sent(send(ours, [text('peer'), text('to you')])))
    expect(await theirs.receive()).toEqual([text('zw'), text('to you')])
    await until(() => sent(theirs.send([text('zw'), text('to us')])))
    expect(await receive(ours)).toEqual([text('peer'), text('to us')])
  })

  test('a mandatory ROUTER of ours refuses a peer that was killed', async () => {
    const router = open('ROUTER', { mandatory: true })
    const victim = await Peer.start(kind)
    const dealer = await victim.open('DEALER', { routingId: 'victim' })
    await dealer.connect(await bound(router, 'tcp'))
    await dealer.send([text('here')])
    expect(await receive(router)).toEqual([text('victim'), text('here')])
    await victim.kill()
    await expect(
      until(() => send(router, [text('victim'), text('gone?')]).then(() => undefined)),
    ).rejects.toMatchObject({ code: 'EHOSTUNREACH' })
  })

  test('correlated requests, ours and theirs', async () => {
    const reply = await peer.open('REP')
    const request = open('REQ', { correlate: true })
    request.connect(await reply.bind('tcp://127.0.0.1:*'))
    await send(request, [text('q')])
    expect(await reply.receive()).toEqual([text('q')])
    await reply.send([text('a')])
    expect(await receive(request)).toEqual([text('a')])

    const ourReply = open('REP')
    const theirRequest = await peer.open('REQ', { correlate: 1 })
    await theirRequest.connect(await bound(ourReply, 'tcp'))
    await theirRequest.send([text('q')])
    expect(await receive(ourReply)).toEqual([text('q')])
    await send(ourReply, [text('a')])
    expect(await theirRequest.receive()).toEqual([text('a')])
  })

  test('the envelope of several routers comes back through our REP', async () => {
    const reply = open('REP')
    const dealer = await peer.open('DEALER')
    await dealer.connect(await bound(reply, 'tcp'))
    await dealer.send([text('hop1'), text('hop2'), '', text('q')])
    expect(await receive(reply)).toEqual([text('q')])
    await send(reply, [text('a')])
    expect(await dealer.receive()).toEqual([text('hop1'), text('hop2'), '', text('a')])
  })

  test('work is spread over the peers, and taken from all of them', async () => {
    const push = open('PUSH')
    const endpoint = await bound(push, 'tcp')
    const workers = await Promise.all([peer.open('PULL'), peer.open('PULL'), peer.open('PULL')])
    let joined = 0
    const all = new Promise<void>((resolve) => {
      push.events.on('handshake', () => ++joined === workers.length && resolve())
    })
    for (const worker of workers) await worker.connect(endpoint)
    await all
    const tasks = Array.from({ length: 9 }, (_, i) => text(`task ${i}`))
    for (const task of tasks) await send(push, [task])
    const seen: string[] = []
    for (const worker of workers) {
      for (let i = 0; i < 3; i++) seen.push((await worker.receive())[0] as string)
    }
    expect(seen.sort()).toEqual(tasks)
  })
})
