// Every pair of socket types, both roles, tcp and ipc, against each real peer: all message shapes
// arrive unharmed and in order.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AnySocket,
  anyEndpoint,
  bound,
  open,
  peerJoined,
  receive,
  send,
  weJoined,
} from './fixture.js'
import { messages, text } from './parts.js'
import { kinds, Peer, type PeerSocket, type PeerType } from './peer.js'

type Flow = 'out' | 'in' | 'we ask' | 'peer asks'

/** The frames a side puts before a message, and finds before what it receives. */
interface Pair {
  readonly ours: PeerType
  readonly theirs: PeerType
  readonly flow: Flow
  readonly ourEnvelope?: readonly string[]
  readonly peerEnvelope?: readonly string[]
}

const ourId = text('zw')
const peerId = text('peer')

const pairs: readonly Pair[] = [
  { ours: 'REQ', theirs: 'REP', flow: 'we ask' },
  { ours: 'REP', theirs: 'REQ', flow: 'peer asks' },
  { ours: 'REQ', theirs: 'ROUTER', flow: 'we ask', peerEnvelope: [ourId, ''] },
  { ours: 'ROUTER', theirs: 'REQ', flow: 'peer asks', ourEnvelope: [peerId, ''] },
  { ours: 'DEALER', theirs: 'REP', flow: 'we ask', ourEnvelope: [''] },
  { ours: 'REP', theirs: 'DEALER', flow: 'peer asks', peerEnvelope: [''] },
  { ours: 'DEALER', theirs: 'ROUTER', flow: 'we ask', peerEnvelope: [ourId] },
  { ours: 'ROUTER', theirs: 'DEALER', flow: 'peer asks', ourEnvelope: [peerId] },
  { ours: 'DEALER', theirs: 'DEALER', flow: 'we ask' },
  { ours: 'PAIR', theirs: 'PAIR', flow: 'we ask' },
  { ours: 'PAIR', theirs: 'PAIR', flow: 'peer asks' },
  { ours: 'PUSH', theirs: 'PULL', flow: 'out' },
  { ours: 'PULL', theirs: 'PUSH', flow: 'in' },
  { ours: 'PUB', theirs: 'SUB', flow: 'out' },
  { ours: 'SUB', theirs: 'PUB', flow: 'in' },
  { ours: 'PUB', theirs: 'XSUB', flow: 'out' },
  { ours: 'XSUB', theirs: 'PUB', flow: 'in' },
  { ours: 'XPUB', theirs: 'SUB', flow: 'out' },
  { ours: 'SUB', theirs: 'XPUB', flow: 'in' },
  { ours: 'XPUB', theirs: 'XSUB', flow: 'out' },
  { ours: 'XSUB', theirs: 'XPUB', flow: 'in' },
]

const subscribeAll = '01'

async function join(pair: Pair, ours: AnySocket, theirs: PeerSocket): Promise<void> {
  if (pair.ours === 'SUB') ours.subscribe()
  if (pair.ours === 'XSUB') await send(ours, [subscribeAll])
  if (pair.theirs === 'SUB') await theirs.subscribe('')
  if (pair.theirs === 'XSUB') await theirs.send([subscribeAll])
  if (/SUB/.test(pair.ours)) await weJoined(ours, theirs)
  if (/SUB/.test(pair.theirs)) await peerJoined(ours, theirs)
}

async function toPeer(pair: Pair, ours: AnySocket, theirs: PeerSocket, parts: readonly string[]) {
  const [seen] = await Promise.all([
    theirs.receive(),
    send(ours, [...(pair.ourEnvelope ?? []), ...parts]),
  ])
  expect(seen).toEqual([...(pair.peerEnvelope ?? []), ...parts])
}

async function toUs(pair: Pair, ours: AnySocket, theirs: PeerSocket, parts: readonly string[]) {
  const sent = theirs.send([...(pair.peerEnvelope ?? []), ...parts])
  expect(await receive(ours)).toEqual([...(pair.ourEnvelope ?? []), ...parts])
  await sent
}

const steps: Record<Flow, readonly (typeof toPeer)[]> = {
  out: [toPeer],
  in: [toUs],
  'we ask': [toPeer, toUs],
  'peer asks': [toUs, toPeer],
}

describe.each(kinds)('with %s', (kind) => {
  let peer: Peer
  beforeAll(async () => {
    peer = await Peer.start(kind)
  })
  afterAll(() => peer.stop())

  describe.each(['tcp', 'ipc'] as const)('over %s', (transport) => {
    describe.each(pairs)('our $ours, their $theirs, $flow', (pair) => {
      test.each(['bind', 'connect'] as const)('we %s', async (role) => {
        const named = /REQ|DEALER|ROUTER/
        const ours = open(pair.ours, named.test(pair.ours) ? { routingId: 'zw' } : {})
        const theirs = await peer.open(
          pair.theirs,
          named.test(pair.theirs) ? { routingId: 'peer' } : {},
        )
        if (role === 'bind') await theirs.connect(await bound(ours, transport))
        else ours.connect(await theirs.bind(anyEndpoint(transport)))
        await join(pair, ours, theirs)
        for (const [, parts] of messages) {
          for (const step of steps[pair.flow]) await step(pair, ours, theirs, parts)
        }
        await theirs.close()
      })
    })
  })
})
