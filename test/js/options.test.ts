import { describe, expect, test } from 'vitest'
import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Request,
  Router,
  Subscriber,
  XPublisher,
} from '../../lib/index.js'
import { endpoint, own } from './support.js'

const INT_MAX = 2 ** 31 - 1
const SAFE = Number.MAX_SAFE_INTEGER

/** Name, default, smallest and largest value. */
const numbers = [
  ['affinity', 0, 0, SAFE],
  ['linger', -1, -1, INT_MAX],
  ['reconnectInterval', 100, -1, INT_MAX],
  ['reconnectMaxInterval', 0, 0, INT_MAX],
  ['backlog', 100, 0, INT_MAX],
  ['maxMessageSize', -1, -1, SAFE],
  ['maxMultipartSize', -1, -1, SAFE],
  ['tcpKeepalive', -1, -1, 1],
  ['tcpKeepaliveCount', -1, -1, 127],
  ['tcpKeepaliveIdle', -1, -1, 32767],
  ['tcpKeepaliveInterval', -1, -1, 32767],
  ['typeOfService', 0, 0, 255],
  ['handshakeInterval', 30000, 0, INT_MAX],
  ['heartbeatInterval', 0, 0, INT_MAX],
  ['heartbeatTimeToLive', 0, 0, 6553599],
  ['heartbeatTimeout', -1, -1, INT_MAX],
  ['connectTimeout', 0, 0, INT_MAX],
  ['tcpMaxRetransmitTimeout', 0, 0, INT_MAX],
  ['sendBufferSize', -1, -1, INT_MAX],
  ['sendHighWaterMark', 1000, 0, INT_MAX],
  ['sendTimeout', -1, -1, INT_MAX],
  ['receiveBufferSize', -1, -1, INT_MAX],
  ['receiveHighWaterMark', 1000, 0, INT_MAX],
  ['receiveTimeout', -1, -1, INT_MAX],
  ['rate', 100, 1, INT_MAX],
  ['recoveryInterval', 10000, 0, INT_MAX],
  ['multicastMaxTransportDataUnit', 1500, 128, 65535],
  ['multicastHops', 1, 1, 255],
] as const

describe.each(numbers)('%s', (name, initial, min, max) => {
  test(`is ${initial} at first`, () => {
    const [socket] = own(new Dealer())
    expect(socket[name]).toBe(initial)
  })

  test('can be set within its range', () => {
    const [socket] = own(new Dealer({ [name]: min }))
    expect(socket[name]).toBe(min)
    socket[name] = max
    // This one is counted in steps of 100 ms.
    const stored = name === 'heartbeatTimeToLive' ? max - (max % 100) : max
    expect(socket[name]).toBe(stored)
  })

  test.each([min - 1, max + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses %d',
    (value) => {
      const [socket] = own(new Dealer())
      const refusal = expect.objectContaining({
        name: 'RangeError',
        code: 'ERR_OUT_OF_RANGE',
        message: expect.stringContaining(`${name} must be an integer from ${min}`),
      })
      expect(() => {
        socket[name] = value
      }).toThrow(refusal)
      expect(() => new Dealer({ [name]: value })).toThrow(refusal)
      expect(socket[name]).toBe(initial)
    },
  )

  test.each(['1', true, null, {}, 1n])('refuses %s', (value) => {
    const [socket] = own(new Dealer())
    expect(() => Object.assign(socket, { [name]: value })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(name) }),
    )
  })
})

test('maxMessageParts has a default and no values below 1', () => {
  const [socket] = own(new Dealer())
  expect(socket.maxMessageParts).toBeGreaterThan(0)
  socket.maxMessageParts = 1
  expect(socket.maxMessageParts).toBe(1)
  expect(() => Object.assign(socket, { maxMessageParts: 0 })).toThrow(RangeError)
})

describe.each(['ipv6', 'immediate'] as const)('%s', (name) => {
  test('is a boolean', () => {
    const [socket] = own(new Dealer())
    expect(socket[name]).toBe(false)
    socket[name] = true
    expect(socket[name]).toBe(true)
    for (const value of [1, 0, 'true', null]) {
      expect(() => Object.assign(socket, { [name]: value })).toThrow(TypeError)
    }
    expect(socket[name]).toBe(true)
  })
})

test('multicastLoop is a boolean, on at first', () => {
  const [socket] = own(new Dealer())
  expect(socket.multicastLoop).toBe(true)
  socket.multicastLoop = false
  expect(socket.multicastLoop).toBe(false)
  expect(() => Object.assign(socket, { multicastLoop: 1 })).toThrow(TypeError)
})

describe.each(['interface', 'tcpCongestion'] as const)('%s', (name) => {
  test('is a text or null', () => {
    const [socket] = own(new Dealer())
    expect(socket[name]).toBe(null)
    socket[name] = 'abc'
    expect(socket[name]).toBe('abc')
    socket[name] = null
    expect(socket[name]).toBe(null)
    expect(() => Object.assign(socket, { [name]: 5 })).toThrow(TypeError)
    expect(() => Object.assign(socket, { [name]: 'x'.repeat(16) })).toThrow(
      expect.objectContaining({ code: 'EINVAL', message: expect.stringContaining(name) }),
    )
  })
})

describe('routingId', () => {
  test('is a text, bytes, or null', () => {
    const [socket] = own(new Dealer())
    expect(socket.routingId).toBe(null)
    socket.routingId = 'näme'
    expect(socket.routingId).toBe('näme')
    socket.routingId = Buffer.from([0xff, 0])
    expect(socket.routingId).toEqual(Buffer.from([0xff, 0]))
    socket.routingId = null
    expect(socket.routingId).toBe(null)
  })

  test.each([5, true, new Uint8Array(1)])('refuses %s', (value) => {
    const [socket] = own(new Dealer())
    expect(() => Object.assign(socket, { routingId: value })).toThrow(TypeError)
  })

  test.each(['x'.repeat(256), '\0name'])('refuses what no peer would accept', (value) => {
    const [socket] = own(new Dealer())
    expect(() => Object.assign(socket, { routingId: value })).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    )
  })
})

describe('options that are only set', () => {
  test.each([
    [Publisher, ['noDrop', 'conflate']],
    [Subscriber, ['conflate']],
    [Request, ['probeRouter', 'correlate', 'relaxed']],
    [Dealer, ['probeRouter', 'conflate']],
    [Router, ['mandatory', 'probeRouter', 'handover']],
    [Pull, ['conflate']],
    [Push, ['conflate']],
    [XPublisher, ['noDrop', 'manual']],
  ])('%o', (Class, names) => {
    for (const name of names) {
      const [socket] = own(new Class({ [name]: true }))
      expect(Reflect.get(socket, name)).toBe(undefined)
      Reflect.set(socket, name, false)
      expect(() => Reflect.set(socket, name, 1)).toThrow(TypeError)
    }
  })

  test('XPublisher has a verbosity and a welcome message', () => {
    const [socket] = own(new XPublisher({ verbosity: 'allSubsUnsubs', welcomeMessage: 'hi' }))
    socket.verbosity = null
    socket.welcomeMessage = null
    expect(() => Object.assign(socket, { welcomeMessage: 1 })).toThrow(TypeError)
  })

  test.each([Publisher, Subscriber, XPublisher])('invertMatching of %o can be read', (Class) => {
    const [socket] = own(new Class())
    expect(socket.invertMatching).toBe(false)
    socket.invertMatching = true
    expect(socket.invertMatching).toBe(true)
  })
})

describe('options that are only read', () => {
  test('tell about the socket', async () => {
    const [socket] = own(new Pair())
    expect(socket.type).toBe(0)
    expect(socket.securityMechanism).toBe(null)
    expect(socket.threadSafe).toBe(false)
    expect(socket.lastEndpoint).toBe(null)
    const address = await socket.bind('tcp://127.0.0.1:*')
    expect(address).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/)
    expect(socket.lastEndpoint).toBe(address)
  })

  test.each([
    'type',
    'lastEndpoint',
    'multicastLost',
    'securityMechanism',
    'threadSafe',
    'closed',
    'readable',
  ])('%s cannot be set', (name) => {
    const [socket] = own(new Pair())
    expect(() => Object.assign(socket, { [name]: 1 })).toThrow(TypeError)
    expect(() => new Pair({ [name]: 1 })).toThrow(/read-only/)
  })
})

describe('options of what is not there', () => {
  test.each([
    ['plainServer', false, true],
    ['plainUsername', null, 'me'],
    ['plainPassword', null, 'secret'],
    ['curveServer', false, true],
    ['curvePublicKey', null, 'key'],
    ['curveSecretKey', null, 'key'],
    ['curveServerKey', null, 'key'],
    ['gssapiServer', false, true],
    ['gssapiPrincipal', null, 'me'],
    ['gssapiServicePrincipal', null, 'it'],
    ['gssapiPlainText', false, true],
    ['zapDomain', null, 'global'],
    ['zapEnforceDomain', false, true],
    ['socksProxy', null, 'localhost:1080'],
    ['tcpAcceptFilter', null, '127.0.0.1'],
    ['loopbackFastPath', false, true],
  ])('%s is off and stays so', (name, off, on) => {
    const [socket] = own(new Dealer({ [name]: off }))
    expect(Reflect.get(socket, name)).toBe(off)
    const refusal = expect.objectContaining({
      code: 'ENOTSUP',
      message: expect.stringContaining(name),
    })
    expect(() => Object.assign(socket, { [name]: on })).toThrow(refusal)
    expect(() => new Dealer({ [name]: on })).toThrow(refusal)
  })

  test.each([
    'vmciBufferSize',
    'vmciBufferMinSize',
    'vmciBufferMaxSize',
    'vmciConnectTimeout',
    'gssapiPrincipalNameType',
    'gssapiServicePrincipalNameType',
  ])('%s cannot even be read', (name) => {
    const [socket] = own(new Dealer())
    const refusal = expect.objectContaining({ code: 'ENOTSUP' })
    expect(() => Reflect.get(socket, name)).toThrow(refusal)
    expect(() => Object.assign(socket, { [name]: 1 })).toThrow(refusal)
  })
})

describe('the options of a constructor', () => {
  test.each([5, 'linger', null, () => 1])('are no %s', (options) => {
    expect(() => new Dealer(options as never)).toThrow(TypeError)
  })

  test('are spelled right', () => {
    expect(() => new Dealer({ lingr: 0 } as never)).toThrow('Dealer has no option lingr')
    expect(() => new Push({ receiveTimeout: 0 } as never)).toThrow('no option receiveTimeout')
    expect(() => new Pair({ send: 0 } as never)).toThrow('no option send')
  })

  test('may be undefined', () => {
    const [socket] = own(new Dealer({ linger: undefined } as never))
    expect(socket.linger).toBe(-1)
  })

  test('are left as they are', () => {
    const options = Object.freeze({ linger: 0 })
    own(new Dealer(options), new Dealer(options))
    expect(options).toEqual({ linger: 0 })
  })
})

describe('an option set after bind or connect', () => {
  function warning(change: (socket: Dealer) => void): Promise<Error | undefined> {
    const [socket] = own(new Dealer())
    socket.connect(endpoint())
    return new Promise((resolve) => {
      process.once('warning', resolve)
      change(socket)
      setImmediate(() => {
        process.off('warning', resolve)
        resolve(undefined)
      })
    })
  }

  test('warns if it acts on later endpoints only', async () => {
    const warned = await warning((socket) => {
      socket.heartbeatInterval = 1000
    })
    expect(warned).toMatchObject({ code: 'ZMQ_LATE_OPTION' })
    expect(warned?.message).toContain('heartbeatInterval')
  })

  test('does not if it acts at once', async () => {
    const warned = await warning((socket) => {
      socket.linger = 0
    })
    expect(warned).toBe(undefined)
  })
})

test('options of a closed socket fail with EBADF', () => {
  const socket = new Dealer()
  socket.close()
  const refusal = expect.objectContaining({ code: 'EBADF' })
  expect(() => socket.linger).toThrow(refusal)
  expect(() => {
    socket.linger = 0
  }).toThrow(refusal)
})
