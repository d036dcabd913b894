// The one wake-up of this environment (main thread or worker): hands the news of sockets to their
// channels and decides whether the event loop stays alive.
import { isMainThread } from 'node:worker_threads'
import { native } from './binding.js'
import { outbox } from './outbox.js'
import { lookBy, received, turnGoesOn } from './turn.js'

/** Hears of the news of one socket. Held strongly while it waits: see `watch`. */
export interface Watcher {
  wake(): void
}

/** By the index that is in a socket's handle: a Map shrinks and grows with every operation. */
const watchers: (Watcher | undefined)[] = []
const INDEX = 0xfffff
const news = new Int32Array(256)
let holds = 0
/** What the addon knows of that. While a turn goes on, an end of it is told at the turn's end. */
let held = false
/** Looking for news at the end of a turn: another one follows if there is some. */
let looking = false
let lingering = false
let quietWaiters: (() => void)[] = []

/** Roots `watcher`, so that a socket with something pending is not collected. */
export function watch(socket: number, watcher: Watcher): void {
  watchers[socket & INDEX] = watcher
}

/** Another socket may have the index of one that is closed. */
export function unwatch(socket: number, watcher: Watcher): void {
  if (watchers[socket & INDEX] === watcher) watchers[socket & INDEX] = undefined
}

/** Keeps the event loop alive until `release`. */
export function hold(): void {
  holds += 1
  if (!held) setHeld(true)
}

export function release(): void {
  holds -= 1
  if (!looking && !turnGoesOn()) letGo()
}

function letGo(): void {
  if (held && holds === 0) setHeld(false)
}

function setHeld(on: boolean): void {
  held = on
  native.ref(on)
}

/** To be called when a socket was closed: what it still flushes keeps the event loop alive. */
export function linger(): void {
  if (lingering || native.lingering() === 0) return
  lingering = true
  hold()
}

/** Resolves when no closed socket of this environment has anything to flush any more. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => {
    quietWaiters.push(resolve)
    linger()
    settleLingering()
  })
}

function settleLingering(): void {
  if ((!lingering && quietWaiters.length === 0) || native.lingering() > 0) return
  if (lingering) {
    lingering = false
    release()
  }
  const waiters = quietWaiters
  quietWaiters = []
  for (const resolve of waiters) resolve()
}

function onWake(): void {
  received.reset()
  dispatch(native.ready(news))
}

/** Hands out so many pairs of `news`, and what did not fit in. */
function dispatch(pairs: number): void {
  for (let length = pairs * 2; length > 0; length = native.ready(news) * 2) {
    for (let i = 0; i < length; i += 2) watchers[(news[i] as number) & INDEX]?.wake()
    if (length < news.length) break
  }
  settleLingering()
}

/** Whether there was news. */
function look(): boolean {
  const pairs = native.drive(news)
  if (pairs < 0) {
    letGo()
    return false
  }
  looking = true
  try {
    dispatch(pairs)
  } finally {
    looking = false
  }
  return true
}

native.init(onWake)
lookBy(look)
process.on('exit', () => {
  outbox.flush()
  // Workers run the addon's own clean-up; the main thread does not when the process is told to exit.
  if (isMainThread) native.finish()
})
