import { native } from './binding.js'
import { guarded, wrongType } from './errors.js'
import { channelOf, type Socket } from './socket.js'

/** A socket that has subscriptions: prefixes of the first part of messages. */
export interface Subscribing {
  /**
   * Adds subscriptions to messages that begin with a prefix; without argument, to all messages.
   * Subscribing to the same prefix again is counted.
   */
  subscribe(...prefixes: (Buffer | string)[]): void

  /** Takes one subscription per prefix back; without argument, one to all messages. */
  unsubscribe(...prefixes: (Buffer | string)[]): void
}

type Prefix = Buffer | string

/** What makes a socket Subscribing. */
export const subscribing = {
  methods: {
    subscribe(this: Socket, ...prefixes: Prefix[]): void {
      change(this, prefixes, native.subscribe)
    },

    unsubscribe(this: Socket, ...prefixes: Prefix[]): void {
      change(this, prefixes, native.unsubscribe)
    },
  },
}

function change(
  socket: Socket,
  prefixes: Prefix[],
  operation: (handle: number, prefix: Prefix) => void,
): void {
  const { handle } = channelOf(socket)
  for (const prefix of prefixes) {
    if (typeof prefix === 'string' || (prefix as unknown) instanceof Uint8Array) continue
    throw wrongType('prefix', 'a string or Buffer', prefix)
  }
  const all = prefixes.length === 0 ? [''] : prefixes
  for (const prefix of all) guarded(() => operation(handle, prefix))
}
