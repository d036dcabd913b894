// A socket under attack, with an honest client beside the attacker and a record of its events.
import { expect, onTestFinished } from 'vitest'
import * as zmq from '../../lib/index.js'
import { RawPeer } from './wire.js'

type PullOptions = ConstructorParameters<typeof zmq.Pull>[0]

/** The events that tell of a connection's end. */
const endings = [
  'disconnect',
  'handshake:error:protocol',
  'handshake:error:auth',
  'handshake:error:other',
] as const

/** What an event says: its type, and the code of its error. */
export type Seen = readonly [type: string, code?: string | undefined]

/**
 * The next event, among those that tell of a connection's end, of this socket. To be called
 * before what causes it.
 */
export function nextEnding(socket: zmq.Socket): Promise<Seen> {
  return new Promise((resolve) => {
    for (const type of endings) {
      socket.events.on(type, (event) => {
        resolve('error' in event ? [type, (event.error as { code?: string }).code] : [type])
      })
    }
  })
}

/** The next event of this type. To be called before what causes it. */
export function nextEvent(socket: zmq.Socket, type: zmq.EventType): Promise<zmq.Event> {
  return new Promise((resolve) => {
    const listener = (event: zmq.Event) => {
      socket.events.off(type, listener)
      resolve(event)
    }
    socket.events.on(type, listener)
  })
}

/** A Pull that anybody may send garbage to. */
export class Victim {
  private constructor(
    readonly pull: zmq.Pull,
    readonly endpoint: string,
    readonly honest: zmq.Push,
  ) {}

  static async start(options: PullOptions = {}): Promise<Victim> {
    const pull = new zmq.Pull({ receiveTimeout: 10_000, ...options })
    const honest = new zmq.Push({ linger: 0, sendTimeout: 10_000 })
    onTestFinished(() => {
      pull.close()
      honest.close()
    })
    await pull.bind('tcp://127.0.0.1:*')
    const endpoint = pull.lastEndpoint as string
    honest.connect(endpoint)
    const victim = new Victim(pull, endpoint, honest)
    await victim.serves('an honest client, to begin with')
    return victim
  }

  attacker(): Promise<RawPeer> {
    return RawPeer.connect(this.endpoint)
  }

  /** The honest client is served, and nothing but its message is there to be received. */
  async serves(text = 'an honest client'): Promise<void> {
    await this.honest.send(text)
    expect((await this.pull.receive()).map(String)).toEqual([text])
  }
}
