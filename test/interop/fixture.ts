// What interop tests share: endpoints, our sockets closed after each test, deterministic joining.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import * as zmq from '../../lib/index.js'
import { text, toBytes, toSpec } from './parts.js'
import type { PeerError, PeerSocket, PeerType } from './peer.js'

export const classes = {
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
} as const satisfies Record<PeerType, unknown>

/** All that the socket classes together can do, for tests that run over a table of them. */
export interface AnySocket {
  readonly lastEndpoint: string | null
  readonly events: zmq.Observer
  bind(endpoint: string): Promise<unknown>
  unbind(endpoint: string): Promise<unknown>
  connect(endpoint: string): unknown
  disconnect(endpoint: string): unknown
  close(): void
  send(parts: Buffer[]): Promise<unknown>
  receive(): Promise<Buffer[]>
  subscribe(...topics: (string | Buffer)[]): void
}

/** A socket of ours, closed when the test ends; nothing in these tests may take over 10 s. */
export function open(type: PeerType, options: Record<string, unknown> = {}): AnySocket {
  const Class = classes[type] as unknown as new (options: object) => AnySocket
  const socket = new Class({ linger: 0, ...options })
  if ('sendTimeout' in socket) socket.sendTimeout = 10_000
  if ('receiveTimeout' in socket) socket.receiveTimeout = 10_000
  onTestFinished(() => socket.close())
  return socket
}

export const send = (socket: AnySocket, parts: readonly string[]) => socket.send(parts.map(toBytes))

export const receive = async (socket: AnySocket) => (await socket.receive()).map(toSpec)

/** A wildcard endpoint to bind. */
export function anyEndpoint(transport: 'tcp' | 'ipc'): string {
  if (transport === 'tcp') return 'tcp://127.0.0.1:*'
  const folder = mkdtempSync(join(tmpdir(), 'zw-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return `ipc://${folder}/socket`
}

export async function bound(socket: AnySocket, transport: 'tcp' | 'ipc'): Promise<string> {
  await socket.bind(anyEndpoint(transport))
  return socket.lastEndpoint as string
}

/** Repeats `attempt` until it gives something; fails after 10 s. */
export async function until<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 10_000
  while (Date.now() < deadline) {
    const result = await attempt()
    if (result !== undefined) return result
  }
  throw new Error('condition not reached in 10 s')
}

/** Undefined instead of a failure with one of these codes. */
export async function unless<T>(codes: string[], operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation
  } catch (failure) {
    if (codes.includes((failure as PeerError).code)) return undefined
    throw failure
  }
}

/** Binds an endpoint whose previous owner is being closed in the background. */
export const bindAgain = (socket: AnySocket, endpoint: string) =>
  until(() =>
    unless(
      ['EADDRINUSE'],
      socket.bind(endpoint).then(() => true),
    ),
  )

export const peerBindsAgain = (socket: PeerSocket, endpoint: string) =>
  until(() => unless(['EADDRINUSE'], socket.bind(endpoint)))

interface Sender {
  send(parts: readonly string[]): Promise<unknown>
}

/**
 * Publishers drop what nobody subscribed to yet, so numbered messages are sent until one arrives;
 * then every later one arrives too, and they are received until the last of them.
 */
async function joined(
  publish: Sender['send'],
  tryReceive: () => Promise<string[] | undefined>,
  topic = '',
): Promise<void> {
  let count = 0
  const numbered = () => topic + text(`sync ${count}`)
  let seen = await until(async () => {
    count++
    await publish([numbered()])
    return await tryReceive()
  })
  while (seen[0] !== numbered()) seen = await until(tryReceive)
}

/** Waits until the peer's subscription has reached our publisher. */
export const peerJoined = (ours: AnySocket, peer: PeerSocket, topic = '') =>
  joined(
    (parts) => send(ours, parts),
    () => unless(['EAGAIN'], peer.receive(20)),
    topic,
  )

/** Waits until our subscription has reached the peer's publisher. */
export async function weJoined(ours: AnySocket, peer: PeerSocket, topic = ''): Promise<void> {
  const socket = ours as AnySocket & { receiveTimeout: number }
  socket.receiveTimeout = 20
  await joined(
    (parts) => peer.send(parts),
    () => unless(['EAGAIN'], receive(ours)),
    topic,
  )
  socket.receiveTimeout = 10_000
}
