// What an option is: how its value is checked, and how it becomes an accessor of a class.
import { isUtf8 } from 'node:buffer'
import { native } from './binding.js'
import type { Channel } from './channel.js'
import { guarded, outOfRange, wrongType, ZmqError } from './errors.js'

type Access = 'read' | 'write' | 'both'

/** One option of sockets; T is the type of its value. */
export interface Option<T, A extends Access = Access> {
  readonly access: A
  /** Acts at once, on all endpoints; others act on endpoints bound or connected afterwards. */
  readonly immediate: boolean
  get(channel: Channel, name: string): T
  /** Checks the value: throws TypeError or RangeError. */
  set(channel: Channel, name: string, value: unknown): void
}

export type OptionTable = Record<string, Option<unknown>>

type Value<O> = O extends Option<infer T> ? T : never
type Written<T> = { [K in keyof T]: T[K] extends Option<unknown, 'read'> ? never : K }[keyof T]

/** The accessors that the options of a table give to a class. */
export type Accessors<T> = {
  [K in keyof T as K extends Written<T> ? K : never]: Value<T[K]>
} & {
  readonly [K in keyof T as K extends Written<T> ? never : K]: Value<T[K]>
}

/** How values of a type are checked and cross to the addon. */
export interface Kind<T> {
  check(name: string, value: unknown): T
  load(socket: number, id: number): T
  store(socket: number, id: number, value: T): void
}

const INT_MAX = 2 ** 31 - 1

/** An integer from `min` to `max`. */
export function integer(min: number, max = INT_MAX): Kind<number> {
  return {
    check(name, value) {
      if (typeof value !== 'number') throw wrongType(name, 'a number', value)
      if (!Number.isInteger(value) || value < min || value > max) {
        throw outOfRange(name, `an integer from ${min} to ${max}`, value)
      }
      return value
    },
    load: (socket, id) => native.getOptionNumber(socket, id),
    store: (socket, id, value) => native.setOptionNumber(socket, id, value),
  }
}

export const flag: Kind<boolean> = {
  check(name, value) {
    if (typeof value !== 'boolean') throw wrongType(name, 'a boolean', value)
    return value
  },
  load: (socket, id) => native.getOptionNumber(socket, id) !== 0,
  store: (socket, id, value) => native.setOptionNumber(socket, id, value ? 1 : 0),
}

/** A text, null when unset. */
export const text: Kind<string | null> = {
  check(name, value) {
    if (typeof value !== 'string' && value !== null) {
      throw wrongType(name, 'a string or null', value)
    }
    return value
  },
  load: (socket, id) => native.getOptionString(socket, id)?.toString() ?? null,
  store: (socket, id, value) => native.setOptionString(socket, id, value),
}

/** Bytes, null when unset; read as a string where they are UTF-8, else as a Buffer. */
export const bytes: Kind<string | Buffer | null> = {
  check(name, value) {
    if (typeof value === 'string' || value === null || Buffer.isBuffer(value)) return value
    throw wrongType(name, 'a string, Buffer or null', value)
  },
  load(socket, id) {
    const value = native.getOptionString(socket, id)
    return value !== null && isUtf8(value) ? value.toString() : value
  },
  store: (socket, id, value) => native.setOptionString(socket, id, value),
}

/** What an option does besides being stored. */
interface Traits<T> {
  immediate?: boolean
  effect?: (channel: Channel, value: T) => void
}

function option<T, A extends Access>(
  access: A,
  id: number,
  kind: Kind<T>,
  { immediate = false, effect }: Traits<T>,
): Option<T, A> {
  return {
    access,
    immediate,
    get: (channel) => guarded(() => kind.load(channel.handle, id)),
    set(channel, name, value) {
      const checked = kind.check(name, value)
      guarded(() => kind.store(channel.handle, id, checked))
      effect?.(channel, checked)
    },
  }
}

/** An option to be read and written; `id` as in options.hpp. */
export function both<T>(id: number, kind: Kind<T>, traits: Traits<T> = {}): Option<T, 'both'> {
  return option('both', id, kind, traits)
}

export function readOnly<T>(id: number, kind: Kind<T>): Option<T, 'read'> {
  return option('read', id, kind, {})
}

export function writeOnly<T>(id: number, kind: Kind<T>, traits: Traits<T> = {}) {
  return option('write', id, kind, traits)
}

/**
 * An option of something that is not there. It reads as `off`, can be set to that alone, and
 * refuses everything else with ENOTSUP; without `off`, it cannot even be read.
 */
export function unsupported<T>(off?: T): Option<T, 'both'> {
  function refuse(name: string): never {
    throw new ZmqError('ENOTSUP', `${name} is not supported`)
  }
  return {
    access: 'both',
    immediate: true,
    get: (_channel, name) => (off === undefined ? refuse(name) : off),
    set(_channel, name, value) {
      if (off === undefined || value !== off) refuse(name)
    },
  }
}

/** Gives `prototype` an accessor for each option; `channelOf` finds the channel of an instance. */
export function defineAccessors<S extends object>(
  prototype: S,
  table: OptionTable,
  channelOf: (socket: S) => Channel,
): void {
  for (const [name, option] of Object.entries(table)) {
    const accessor: PropertyDescriptor = { configurable: true, enumerable: false }
    if (option.access !== 'write') {
      accessor.get = function (this: S) {
        return option.get(channelOf(this), name)
      }
    }
    if (option.access !== 'read') {
      accessor.set = function (this: S, value) {
        const channel = channelOf(this)
        option.set(channel, name, value)
        if (channel.attached && !option.immediate) warnLate(name)
      }
    }
    Object.defineProperty(prototype, name, accessor)
  }
}

function warnLate(name: string): void {
  process.emitWarning(`${name} only acts on endpoints that are bound or connected from now on`, {
    type: 'ZmqWarning',
    code: 'ZMQ_LATE_OPTION',
  })
}
