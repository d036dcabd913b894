// PGM between us and libzmq, on the loopback interface. zeromq.js is built without it.
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { open, peerJoined, receive, send, weJoined } from './fixture.js'
import { text } from './parts.js'
import { Peer } from './peer.js'

const FAST = { rate: 1_000_000, recoveryInterval: 1000 }

/** Messages of all shapes: empty parts, many parts, and some that span packets. */
const messages = [
  [text('a')],
  [''],
  [text('first'), '', text('last')],
  [253, 254, 255].map((size) => text('x'.repeat(size))),
  ['@1425:4'],
  ['@1426:5', text('behind')],
  ['@5000:6'],
  ['@100000:7', '@300000:8'],
  Array.from({ length: 50 }, (_, i) => text(`part ${i}`)),
]

let groups = 0

function group(scheme: string): string {
  groups++
  const port = 20_000 + (process.pid % 10_000)
  return `${scheme}://127.0.0.1;239.195.${groups}.${1 + (process.pid % 254)}:${port}`
}

function hasPgm(): boolean {
  const script = 'import sys, zmq; sys.exit(0 if zmq.has("pgm") else 1)'
  try {
    execFileSync('/usr/bin/python3', ['-c', script], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const root = process.getuid?.() === 0
const schemes = root ? ['epgm', 'pgm'] : ['epgm']

describe.skipIf(!hasPgm()).each(['libzmq', 'pyzmq'] as const)('with %s', (kind) => {
  let peer: Peer
  beforeAll(async () => {
    peer = await Peer.start(kind)
  })
  afterAll(() => peer.stop())

  describe.each(schemes)('over %s', (scheme) => {
    test.each(['PUB', 'XPUB'] as const)('we hear its %s', async (type) => {
      const endpoint = group(scheme)
      const sub = open('SUB', FAST)
      sub.connect(endpoint)
      sub.subscribe('')
      const pub = await peer.open(type, FAST)
      await pub.bind(endpoint)
      await weJoined(sub, pub)
      for (const message of messages) {
        await pub.send(message)
        expect(await receive(sub)).toEqual(message)
      }
      for (let i = 0; i < 500; i++) await pub.send([text(`${i}`), '@700:1'])
      for (let i = 0; i < 500; i++) expect(await receive(sub)).toEqual([text(`${i}`), '@700:1'])
      await pub.close()
    })

    test.each(['PUB', 'XPUB'] as const)('it hears our %s', async (type) => {
      const endpoint = group(scheme)
      const sub = await peer.open('SUB', FAST)
      await sub.connect(endpoint)
      await sub.subscribe('')
      const pub = open(type, FAST)
      await pub.bind(endpoint)
      await peerJoined(pub, sub)
      for (const message of messages) {
        await send(pub, message)
        expect(await sub.receive()).toEqual(message)
      }
      for (let i = 0; i < 500; i++) await send(pub, [text(`${i}`), '@700:1'])
      for (let i = 0; i < 500; i++) expect(await sub.receive()).toEqual([text(`${i}`), '@700:1'])
      await sub.close()
    })
  })

  test('both publish to both', async () => {
    const endpoint = group('epgm')
    const theirs = await peer.open('SUB', FAST)
    await theirs.connect(endpoint)
    await theirs.subscribe(text('x'))
    const ours = open('SUB', FAST)
    ours.connect(endpoint)
    ours.subscribe('x')
    const ourPub = open('PUB', FAST)
    await ourPub.bind(endpoint)
    const theirPub = await peer.open('PUB', FAST)
    await theirPub.bind(endpoint)
    await weJoined(ours, theirPub, text('x'))
    await peerJoined(ourPub, theirs, text('x'))
    await send(ourPub, [text('x1'), text('ours')])
    await theirPub.send([text('x2'), text('theirs')])
    // What was sent for joining may come in between: messages of two sources have no order.
    for (const take of [() => receive(ours), () => theirs.receive()]) {
      const missing = new Set(['ours', 'theirs'].map(text))
      while (missing.size > 0) missing.delete((await take())[1] ?? '')
    }
    await theirPub.close()
    await theirs.close()
  })
})
