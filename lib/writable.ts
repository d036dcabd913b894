import type { Accessors } from './option.js'
import { writableOptions } from './options.js'
import type { MessageLike } from './outgoing.js'
import type { OperationOptions } from './pending.js'
import { channelOf, type Socket } from './socket.js'

/** A socket that sends messages of the type M: a part, or an array of parts. */
export interface Writable<
  M extends MessageLike | readonly MessageLike[] = MessageLike | readonly MessageLike[],
  O extends readonly unknown[] = [options?: OperationOptions],
> extends Accessors<typeof writableOptions> {
  /**
   * Queues a message, whole or not at all, and resolves when it has been accepted, not when it has
   * been delivered. Waits while there is no room (see `sendHighWaterMark`) or, for sockets that
   * send to one peer at a time, no peer; several calls may wait, they are served in order. What is
   * sent during one turn of the event loop goes out together.
   *
   * Rejects with EAGAIN after `sendTimeout`, or when the socket is closed meanwhile, with EBADF
   * when it is closed, EFSM if a Request or Reply has to receive first, EHOSTUNREACH by a Router
   * with `mandatory`, EINVAL for an empty array, TypeError for what cannot be sent.
   *
   * Parts of less than 32 KiB are copied; larger ones are sent from where they are: after the call
   * they must not be changed, nor their memory be transferred to other threads (which is refused),
   * to streams of bytes, or by `transfer()` (which Node.js refuses from version 24 on).
   */
  send(message: M, ...options: O): Promise<void>

  /**
   * Queues messages in order, and resolves when all have been accepted. When it is rejected, the
   * first ones may have been sent. The cheapest way to send many.
   */
  sendMany(messages: readonly M[], options?: OperationOptions): Promise<void>
}

/** What makes a socket Writable. */
export const writable = {
  options: writableOptions,
  methods: {
    send(this: Socket, message: unknown, options?: OperationOptions): Promise<void> {
      return channelOf(this).sender.one(message, options)
    },

    sendMany(this: Socket, messages: unknown, options?: OperationOptions): Promise<void> {
      return channelOf(this).sender.many(messages, options)
    },
  },
}
