// What the declarations say and what the classes have at run time is the same.
import { describe, expect, expectTypeOf, test } from 'vitest'
import type {
  Event,
  EventOfType,
  EventType,
  Message,
  MessageLike,
  OperationOptions,
  Readable,
  SocketOptions,
  Writable,
} from '../../lib/index.js'
import * as zerowire from '../../lib/index.js'
import * as options from '../../lib/options.js'

const { Dealer, Pair, Publisher, Pull, Push, Reply, Request, Router, Subscriber } = zerowire
const { XPublisher, XSubscriber } = zerowire

function keys<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[]
}

const base = [
  ...keys(options.socketOptions),
  ...(['bind', 'bindSync', 'unbind', 'unbindSync', 'connect', 'disconnect', 'close'] as const),
  ...(['context', 'closed', 'readable', 'writable', 'events'] as const),
]
const readable = [
  ...keys(options.readableOptions),
  ...(['receive', 'receiveMany', 'batches'] as const),
]
const writable = [...keys(options.writableOptions), ...(['send', 'sendMany'] as const)]
const both = [...base, ...readable, ...writable]
const subscribing = ['subscribe', 'unsubscribe'] as const

const members = {
  Pair: both,
  Publisher: [...base, ...writable, ...keys(options.publisherOptions)],
  Subscriber: [...base, ...readable, ...subscribing, ...keys(options.subscriberOptions)],
  Request: [...both, ...keys(options.requestOptions)],
  Reply: [...both, ...keys(options.replyOptions)],
  Dealer: [...both, ...keys(options.dealerOptions)],
  Router: [...both, ...keys(options.routerOptions)],
  Pull: [...base, ...readable, ...keys(options.pipelineOptions)],
  Push: [...base, ...writable, ...keys(options.pipelineOptions)],
  XPublisher: [
    ...both,
    ...subscribing,
    ...keys(options.xPublisherOptions),
    ...(['verbosity'] as const),
  ],
  XSubscriber: both,
}

const classes = {
  Pair,
  Publisher,
  Subscriber,
  Request,
  Reply,
  Dealer,
  Router,
  Pull,
  Push,
  XPublisher,
  XSubscriber,
}

type Name = keyof typeof members
type Declared<N extends Name> = Extract<keyof InstanceType<(typeof zerowire)[N]>, string>

test('the lists of this test are what is declared', () => {
  expectTypeOf<(typeof members)['Pair'][number]>().toEqualTypeOf<Declared<'Pair'>>()
  expectTypeOf<(typeof members)['Publisher'][number]>().toEqualTypeOf<Declared<'Publisher'>>()
  expectTypeOf<(typeof members)['Subscriber'][number]>().toEqualTypeOf<Declared<'Subscriber'>>()
  expectTypeOf<(typeof members)['Request'][number]>().toEqualTypeOf<Declared<'Request'>>()
  expectTypeOf<(typeof members)['Reply'][number]>().toEqualTypeOf<Declared<'Reply'>>()
  expectTypeOf<(typeof members)['Dealer'][number]>().toEqualTypeOf<Declared<'Dealer'>>()
  expectTypeOf<(typeof members)['Router'][number]>().toEqualTypeOf<Declared<'Router'>>()
  expectTypeOf<(typeof members)['Pull'][number]>().toEqualTypeOf<Declared<'Pull'>>()
  expectTypeOf<(typeof members)['Push'][number]>().toEqualTypeOf<Declared<'Push'>>()
  expectTypeOf<(typeof members)['XPublisher'][number]>().toEqualTypeOf<Declared<'XPublisher'>>()
  expectTypeOf<(typeof members)['XSubscriber'][number]>().toEqualTypeOf<Declared<'XSubscriber'>>()
})

describe.each(keys(members))('%s', (name) => {
  const descriptors: Record<string, PropertyDescriptor | undefined> = {}
  for (
    let at: object = classes[name].prototype;
    at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    Object.assign(descriptors, { ...Object.getOwnPropertyDescriptors(at), ...descriptors })
  }

  test('has the members that are declared', () => {
    const names = Object.keys(descriptors).filter((name) => name !== 'constructor')
    expect(names.sort()).toEqual([...members[name]].sort())
  })

  test('has accessors as the table says', () => {
    const tables: Record<string, { access: string }> = Object.assign({}, ...Object.values(options))
    for (const [option, { access }] of Object.entries(tables)) {
      const descriptor = descriptors[option]
      if (!descriptor) continue
      expect([option, descriptor.get !== undefined]).toEqual([option, access !== 'write'])
      expect([option, descriptor.set !== undefined]).toEqual([option, access !== 'read'])
    }
  })
})

test('accessors have the types of their options', () => {
  expectTypeOf<zerowire.Push['linger']>().toEqualTypeOf<number>()
  expectTypeOf<zerowire.Push['immediate']>().toEqualTypeOf<boolean>()
  expectTypeOf<zerowire.Push['lastEndpoint']>().toEqualTypeOf<string | null>()
  expectTypeOf<zerowire.Push['conflate']>().toEqualTypeOf<boolean>()
  expectTypeOf<zerowire.Dealer['routingId']>().toEqualTypeOf<string | Buffer | null>()
  expectTypeOf<zerowire.XPublisher['verbosity']>().toEqualTypeOf<
    null | 'allSubs' | 'allSubsUnsubs'
  >()
  expectTypeOf<zerowire.Push>().not.toHaveProperty('receive')
  expectTypeOf<zerowire.Pull>().not.toHaveProperty('send')
  expectTypeOf<zerowire.Publisher>().not.toHaveProperty('receiveTimeout')
  expectTypeOf<zerowire.XSubscriber>().not.toHaveProperty('subscribe')
})

test('SocketOptions are the settable properties and the context', () => {
  type Options = SocketOptions<zerowire.Push>
  expectTypeOf<Options>().toHaveProperty('linger')
  expectTypeOf<Options>().toHaveProperty('context')
  expectTypeOf<Options>().not.toHaveProperty('type')
  expectTypeOf<Options>().not.toHaveProperty('closed')
  expectTypeOf<Options>().not.toHaveProperty('send')
  expectTypeOf<Options>().not.toHaveProperty('receiveTimeout')
  expectTypeOf<{ linger: string }>().not.toExtend<Options>()
  // @ts-expect-error an option of other sockets
  expect(() => new Push({ receiveTimeout: 1 })).toThrow(TypeError)
  // @ts-expect-error read-only
  expect(() => new Push({ type: 1 })).toThrow(TypeError)
  // @ts-expect-error abstract
  expect(() => new zerowire.Socket(1)).toThrow(TypeError)
})

test('sockets are Readable and Writable as they can', () => {
  for (const Class of [Pair, Request, Reply, Dealer, Router, XPublisher, XSubscriber]) {
    expectTypeOf<InstanceType<typeof Class>>().toExtend<Readable & Writable>()
  }
  expectTypeOf<InstanceType<typeof Publisher>>().toExtend<Writable>()
  expectTypeOf<InstanceType<typeof Subscriber>>().toExtend<Readable>()
  expectTypeOf<InstanceType<typeof Pull>>().toExtend<Readable>()
  expectTypeOf<InstanceType<typeof Pull>>().not.toExtend<Writable>()
  expectTypeOf<zerowire.Pull['receive']>().returns.resolves.toEqualTypeOf<Message[]>()
  expectTypeOf<zerowire.Pull['receiveMany']>().returns.resolves.toEqualTypeOf<Message[][]>()
  expectTypeOf<zerowire.Push['send']>().parameters.toEqualTypeOf<
    [message: MessageLike | readonly MessageLike[], options?: OperationOptions]
  >()
  expectTypeOf<zerowire.Push['send']>().returns.resolves.toBeVoid()
  expectTypeOf<Buffer>().toExtend<Message>()
})

test('iterations yield messages', () => {
  type Yielded<T> = T extends AsyncIterable<infer M> ? M : never
  expectTypeOf<Yielded<zerowire.Pull>>().toEqualTypeOf<Message[]>()
  expectTypeOf<Yielded<ReturnType<zerowire.Pull['batches']>>>().toEqualTypeOf<Message[][]>()
  expectTypeOf<Yielded<zerowire.Observer>>().toEqualTypeOf<Event>()
})

test('events carry what belongs to their type', () => {
  expectTypeOf<EventOfType<'end'>>().toEqualTypeOf<{ type: 'end' }>()
  expectTypeOf<EventOfType<'bind'>['address']>().toEqualTypeOf<string>()
  expectTypeOf<EventOfType<'connect:retry'>['interval']>().toEqualTypeOf<number>()
  expectTypeOf<EventOfType<'bind:error'>['error']>().toEqualTypeOf<zerowire.ZmqError>()
  expectTypeOf<EventOfType<'handshake:error:auth'>['error']>().toEqualTypeOf<zerowire.AuthError>()
  expectTypeOf<EventType>().toEqualTypeOf<Event['type']>()
})
