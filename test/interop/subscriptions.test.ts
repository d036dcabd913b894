// Subscriptions as either side sees them: subscribe, unsubscribe, prefix matching, counting, and
// their replay when a connection comes back.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  anyEndpoint,
  bindAgain,
  bound,
  open,
  peerBindsAgain,
  peerJoined,
  receive,
  send,
  weJoined,
} from './fixture.js'
import { text } from './parts.js'
import { kinds, Peer } from './peer.js'

const subscribed = (topic: string) => [`01${text(topic)}`]
const unsubscribed = (topic: string) => [`00${text(topic)}`]

describe.each(kinds)('with %s', (kind) => {
  let peer: Peer
  beforeAll(async () => {
    peer = await Peer.start(kind)
  })
  afterAll(() => peer.stop())

  test('our subscriptions reach the peer, one per topic however often we ask', async () => {
    const sub = open('SUB')
    const xpub = await peer.open('XPUB')
    sub.connect(await xpub.bind('tcp://127.0.0.1:*'))
    sub.subscribe('a')
    sub.subscribe('a')
    sub.subscribe('bc')
    expect(await xpub.receive()).toEqual(subscribed('a'))
    expect(await xpub.receive()).toEqual(subscribed('bc'))
    const both = sub as typeof sub & { unsubscribe(topic: string): void }
    both.unsubscribe('a')
    both.unsubscribe('bc')
    both.unsubscribe('a')
    expect(await xpub.receive()).toEqual(unsubscribed('bc'))
    expect(await xpub.receive()).toEqual(unsubscribed('a'))
  })

  test('the subscriptions of the peer reach us, one per topic however often it asks', async () => {
    const xpub = open('XPUB')
    const sub = await peer.open('SUB')
    await sub.connect(await bound(xpub, 'tcp'))
    await sub.subscribe(text('a'))
    await sub.subscribe(text('a'))
    await sub.subscribe(text('bc'))
    expect(await receive(xpub)).toEqual(subscribed('a'))
    expect(await receive(xpub)).toEqual(subscribed('bc'))
    await sub.unsubscribe(text('a'))
    await sub.unsubscribe(text('bc'))
    await sub.unsubscribe(text('a'))
    expect(await receive(xpub)).toEqual(unsubscribed('bc'))
    expect(await receive(xpub)).toEqual(unsubscribed('a'))
  })

  test('a publisher of ours delivers by prefix', async () => {
    const pub = open('PUB')
    const sub = await peer.open('SUB')
    await sub.connect(await bound(pub, 'tcp'))
    await sub.subscribe(text('news.'))
    await peerJoined(pub, sub, text('news.'))
    for (const topic of ['new', 'news', 'news.', 'News.a', 'other', 'news.a']) {
      await send(pub, [text(topic), text('body')])
    }
    expect(await sub.receive()).toEqual([text('news.'), text('body')])
    expect(await sub.receive()).toEqual([text('news.a'), text('body')])
  })

  test('a subscriber of ours gets by prefix', async () => {
    const sub = open('SUB')
    const pub = await peer.open('PUB')
    sub.connect(await pub.bind('tcp://127.0.0.1:*'))
    sub.subscribe('news.')
    await weJoined(sub, pub, text('news.'))
    for (const topic of ['new', 'news', 'news.', 'News.a', 'other', 'news.a']) {
      await pub.send([text(topic), text('body')])
    }
    expect(await receive(sub)).toEqual([text('news.'), text('body')])
    expect(await receive(sub)).toEqual([text('news.a'), text('body')])
  })

  test('what the peer has unsubscribed is no longer delivered', async () => {
    const xpub = open('XPUB')
    const sub = await peer.open('SUB')
    await sub.connect(await bound(xpub, 'tcp'))
    await sub.subscribe(text('a'))
    await sub.subscribe(text('b'))
    await receive(xpub)
    await receive(xpub)
    await send(xpub, [text('a1')])
    await send(xpub, [text('b1')])
    expect(await sub.receive()).toEqual([text('a1')])
    await sub.unsubscribe(text('a'))
    expect(await receive(xpub)).toEqual(unsubscribed('a'))
    await send(xpub, [text('a2')])
    await send(xpub, [text('b2')])
    expect(await sub.receive()).toEqual([text('b1')])
    expect(await sub.receive()).toEqual([text('b2')])
  })

  test('messages that an XSUB sends arrive at the XPUB, both ways', async () => {
    const xpub = open('XPUB')
    const theirSub = await peer.open('XSUB')
    await theirSub.connect(await bound(xpub, 'tcp'))
    await theirSub.send([text('question')])
    expect(await receive(xpub)).toEqual([text('question')])

    const xsub = open('XSUB')
    const theirPub = await peer.open('XPUB')
    xsub.connect(await theirPub.bind('tcp://127.0.0.1:*'))
    await send(xsub, [text('question')])
    expect(await theirPub.receive()).toEqual([text('question')])
  })

  test('a publisher that restarts hears our subscriptions again', async () => {
    const sub = open('SUB', { reconnectInterval: 10 })
    sub.subscribe('a', 'b')
    const first = await peer.open('XPUB')
    const endpoint = await first.bind(anyEndpoint('tcp'))
    sub.connect(endpoint)
    const before = [await first.receive(), await first.receive()]
    await first.close()
    sub.subscribe('c')
    const arrival = receive(sub)
    const second = await peer.open('XPUB')
    await peerBindsAgain(second, endpoint)
    const after = [await second.receive(), await second.receive(), await second.receive()]
    expect(before.sort()).toEqual([subscribed('a'), subscribed('b')])
    expect(after.sort()).toEqual([subscribed('a'), subscribed('b'), subscribed('c')])
    await second.send([text('c!')])
    expect(await arrival).toEqual([text('c!')])
  })

  test('when our publisher restarts, the peer subscribes again', async () => {
    const sub = await peer.open('SUB', { reconnectInterval: 10 })
    await sub.subscribe(text('a'))
    const first = open('XPUB')
    const endpoint = await bound(first, 'tcp')
    await sub.connect(endpoint)
    expect(await receive(first)).toEqual(subscribed('a'))
    first.close()
    const arrival = sub.receive()
    const second = open('XPUB')
    await bindAgain(second, endpoint)
    expect(await receive(second)).toEqual(subscribed('a'))
    await send(second, [text('a!')])
    expect(await arrival).toEqual([text('a!')])
  })

  test('an XPUB learns of a subscriber that was killed', async () => {
    const xpub = open('XPUB')
    const victim = await Peer.start(kind)
    const sub = await victim.open('SUB')
    await sub.connect(await bound(xpub, 'tcp'))
    await sub.subscribe(text('a'))
    expect(await receive(xpub)).toEqual(subscribed('a'))
    await victim.kill()
    expect(await receive(xpub)).toEqual(unsubscribed('a'))
  })
})
