// Every socket type against every socket type that a peer may claim to be.
import { describe, expect, onTestFinished, test } from 'vitest'
import * as zmq from '../../lib/index.js'
import { nextEnding, nextEvent } from './victim.js'
import { greeting, RawPeer, ready } from './wire.js'

const partners = {
  PAIR: ['PAIR'],
  PUB: ['SUB', 'XSUB'],
  SUB: ['PUB', 'XPUB'],
  REQ: ['REP', 'ROUTER'],
  REP: ['REQ', 'DEALER'],
  DEALER: ['REP', 'DEALER', 'ROUTER'],
  ROUTER: ['REQ', 'DEALER', 'ROUTER'],
  PULL: ['PUSH'],
  PUSH: ['PULL'],
  XPUB: ['SUB', 'XSUB'],
  XSUB: ['PUB', 'XPUB'],
}

type Type = keyof typeof partners

const classes: Record<Type, new (options: { linger: number }) => zmq.Socket> = {
  PAIR: zmq.Pair,
  PUB: zmq.Publisher,
  SUB: zmq.Subscriber,
  REQ: zmq.Request,
  REP: zmq.Reply,
  DEALER: zmq.Dealer,
  ROUTER: zmq.Router,
  PULL: zmq.Pull,
  PUSH: zmq.Push,
  XPUB: zmq.XPublisher,
  XSUB: zmq.XSubscriber,
}

/** Types of libzmq's drafts and what is no type at all are nobody's partners. */
const claims = [...Object.keys(partners), 'STREAM', 'SERVER', 'CLIENT', 'pair', 'PAIR\0', '']

describe.each(Object.keys(partners) as Type[])('our %s', (type) => {
  test.each(claims)('meets a peer that says it is %s', async (claim) => {
    const socket = new classes[type]({ linger: 0 })
    onTestFinished(() => socket.close())
    await socket.bind('tcp://127.0.0.1:*')
    const good = partners[type].includes(claim)
    const event = good ? nextEvent(socket, 'handshake') : nextEnding(socket)
    const peer = await RawPeer.connect(socket.lastEndpoint as string)
    peer.write(greeting(), ready(claim))
    const announced = await peer.welcome()
    expect(
      announced.body.includes(`Socket-Type\0\0\0${String.fromCharCode(type.length)}${type}`),
    ).toBe(true)
    if (good) {
      await event
      return
    }
    expect(await event).toEqual(['handshake:error:protocol', 'ERR_ZMTP_INVALID_METADATA'])
    expect((await peer.command('ERROR')).body.length).toBeGreaterThan(6)
    await peer.closed
  })
})
