// biome-ignore-all lint/suspicious/noUnsafeDeclarationMerging: compose() defines what the interfaces declare.
// The socket types: what each can do is the sum of its parts.
import { native } from './binding.js'
import { guarded, wrongType } from './errors.js'
import { DEALER, PAIR, PUB, PULL, PUSH, REP, REQ, ROUTER, SUB, XPUB, XSUB } from './native.js'
import { type Accessors, defineAccessors, type OptionTable } from './option.js'
import {
  dealerOptions,
  pipelineOptions,
  publisherOptions,
  replyOptions,
  requestOptions,
  routerOptions,
  subscriberOptions,
  xPublisherOptions,
} from './options.js'
import { type Readable, readable } from './readable.js'
import { channelOf, Socket, type SocketOptions } from './socket.js'
import { type Subscribing, subscribing } from './subscribing.js'
import { type Writable, writable } from './writable.js'

interface Part {
  methods?: object
  options?: OptionTable
}

/** Gives a class the methods and options of its parts. */
function compose(Class: { prototype: Socket }, ...parts: Part[]): void {
  for (const { methods = {}, options = {} } of parts) {
    for (const name of Reflect.ownKeys(methods)) {
      const value = Reflect.get(methods, name)
      Object.defineProperty(Class.prototype, name, { value, writable: true, configurable: true })
    }
    defineAccessors(Class.prototype, options, channelOf)
  }
}

/** Exactly one peer; messages both ways. */
export class Pair extends Socket {
  constructor(options: SocketOptions<Pair> = {}) {
    super(PAIR, options)
  }

  static {
    compose(Pair, readable, writable)
  }
}

export interface Pair extends Readable, Writable {}

/** Sends to all Subscribers whose subscriptions match; drops what one has no room for. */
export class Publisher extends Socket {
  constructor(options: SocketOptions<Publisher> = {}) {
    super(PUB, options)
  }

  static {
    compose(Publisher, writable, { options: publisherOptions })
  }
}

export interface Publisher extends Writable, Accessors<typeof publisherOptions> {}

/** Receives from Publishers what it has subscribed to. */
export class Subscriber extends Socket {
  constructor(options: SocketOptions<Subscriber> = {}) {
    super(SUB, options)
  }

  static {
    compose(Subscriber, readable, subscribing, { options: subscriberOptions })
  }
}

export interface Subscriber extends Readable, Subscribing, Accessors<typeof subscriberOptions> {}

/** Sends a request and receives its reply, in turn. */
export class Request extends Socket {
  constructor(options: SocketOptions<Request> = {}) {
    super(REQ, options)
  }

  static {
    compose(Request, readable, writable, { options: requestOptions })
  }
}

export interface Request extends Readable, Writable, Accessors<typeof requestOptions> {}

/** Receives a request and sends its reply, in turn. */
export class Reply extends Socket {
  constructor(options: SocketOptions<Reply> = {}) {
    super(REP, options)
  }

  static {
    compose(Reply, readable, writable, { options: replyOptions })
  }
}

export interface Reply extends Readable, Writable, Accessors<typeof replyOptions> {}

/** Sends to its peers in turn and receives from all: Request and Reply without the turns. */
export class Dealer extends Socket {
  constructor(options: SocketOptions<Dealer> = {}) {
    super(DEALER, options)
  }

  static {
    compose(Dealer, readable, writable, { options: dealerOptions })
  }
}

export interface Dealer extends Readable, Writable, Accessors<typeof dealerOptions> {}

export interface RouterConnectOptions {
  /** The name by which this Router shall know the peer that it connects to. */
  routingId?: string
}

/** Receives from all peers and sends to the one that is named by the message's first part. */
export class Router extends Socket {
  constructor(options: SocketOptions<Router> = {}) {
    super(ROUTER, options)
  }

  /** As Socket#connect; `routingId` names the peer, overriding its own choice. */
  override connect(address: string, { routingId }: RouterConnectOptions = {}): void {
    if (routingId !== undefined) {
      if (typeof routingId !== 'string') throw wrongType('routingId', 'a string', routingId)
      guarded(() => native.setOptionString(channelOf(this).handle, 61, routingId))
    }
    super.connect(address)
  }

  static {
    compose(Router, readable, writable, { options: routerOptions })
  }
}

export interface Router extends Readable, Writable, Accessors<typeof routerOptions> {}

/** Receives from all Push sockets, fairly. */
export class Pull extends Socket {
  constructor(options: SocketOptions<Pull> = {}) {
    super(PULL, options)
  }

  static {
    compose(Pull, readable, { options: pipelineOptions })
  }
}

export interface Pull extends Readable, Accessors<typeof pipelineOptions> {}

/** Sends to its Pull sockets in turn. */
export class Push extends Socket {
  constructor(options: SocketOptions<Push> = {}) {
    super(PUSH, options)
  }

  static {
    compose(Push, writable, { options: pipelineOptions })
  }
}

export interface Push extends Writable, Accessors<typeof pipelineOptions> {}

/**
 * A Publisher that receives its peers' subscriptions: messages of 0x01 (subscribe) or 0x00
 * (unsubscribe) and the prefix. Of other messages, as XSubscribers send them, up to
 * `receiveHighWaterMark` of each peer wait to be received; those beyond are dropped. Once so much
 * waits, subscriptions that are taken back before they were received are not shown, except with
 * `manual` or `verbosity`.
 */
export class XPublisher extends Socket {
  constructor(options: SocketOptions<XPublisher> = {}) {
    super(XPUB, options)
  }

  /**
   * Which subscriptions are received: null = new ones and the last unsubscription of each,
   * "allSubs" = repeated subscriptions too, "allSubsUnsubs" = repeated unsubscriptions too.
   */
  set verbosity(value: null | 'allSubs' | 'allSubsUnsubs') {
    if (value !== null && value !== 'allSubs' && value !== 'allSubsUnsubs') {
      throw wrongType('verbosity', 'null, "allSubs" or "allSubsUnsubs"', value)
    }
    const { handle } = channelOf(this)
    guarded(() => {
      native.setOptionNumber(handle, 78, value === 'allSubsUnsubs' ? 1 : 0)
      if (value === 'allSubs') native.setOptionNumber(handle, 40, 1)
    })
  }

  static {
    compose(XPublisher, readable, writable, subscribing, { options: xPublisherOptions })
  }
}

/** With `manual`, subscribe() and unsubscribe() act for the peer whose message came last. */
export interface XPublisher
  extends Readable,
    Writable,
    Subscribing,
    Accessors<typeof xPublisherOptions> {}

/** A Subscriber that sends its subscriptions as messages of 0x01 or 0x00 and the prefix. */
export class XSubscriber extends Socket {
  constructor(options: SocketOptions<XSubscriber> = {}) {
    super(XSUB, options)
  }

  static {
    compose(XSubscriber, readable, writable)
  }
}

export interface XSubscriber extends Readable, Writable {}
