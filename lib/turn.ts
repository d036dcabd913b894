// The end of a turn of the event loop: what was sent during the turn goes out together, and what
// exceeded the turn's budget continues. One setImmediate per turn in which something happened.

import { native } from './binding.js'
import { Budget } from './budget.js'
import { outbox } from './outbox.js'

/** Messages handed to the program per turn. */
export const received = new Budget(1024)
/** Messages accepted from the program per turn. */
export const sent = new Budget(1024)

/** The promise of every operation without result that completes at once. */
export const DONE: Promise<void> = Promise.resolve()

/** Sends off what was collected and looks for news; true if there was some. */
let look = () => false
let scheduled = false
let turns = 0
/**
 * A turn goes on with the news of its last look, until so many messages have come or for so long,
 * before other events of the loop are due: that saves going round the loop.
 */
const FEW = 20
const MOST_MS = 0.1
/** When the turn began. */
let began = 0
let deferred: (() => void)[] = []
let turnOver: { promise: Promise<void>; resolve: () => void } | undefined

/** For the dispatcher of news. */
export function lookBy(dispatcher: () => boolean): void {
  look = dispatcher
}

/** Changes from turn to turn. */
export function turn(): number {
  return turns
}

/** Something is left to do at the end of this turn. */
export function turnGoesOn(): boolean {
  return scheduled
}

/** Sends off what was collected, at the end of this turn. */
export function flushLater(): void {
  if (scheduled) return
  scheduled = true
  setImmediate(endTurn)
}

/** Continues with `task` in the next turn. */
export function defer(task: () => void): void {
  deferred.push(task)
  flushLater()
}

/** What a send that was accepted returns: sends beyond the budget resolve in the next turn. */
export function accepted(count = 1): Promise<void> {
  sent.spend(count)
  flushLater()
  if (!sent.spent) return DONE
  turnOver ??= promiseWithResolver()
  return turnOver.promise
}

function endTurn(): void {
  const few = received.used <= FEW
  received.reset()
  sent.reset()
  began = performance.now()
  finish(few)
}

function endTick(): void {
  finish(received.used <= FEW)
}

function finish(few: boolean): void {
  scheduled = false
  turns += 1
  outbox.flush()
  if (deferred.length > 0 || turnOver) resume()
  if (scheduled) native.flush()
  else if (look()) goOn(few)
}

/** What was put off to this turn. */
function resume(): void {
  native.flush()
  turnOver?.resolve()
  turnOver = undefined
  const tasks = deferred
  deferred = []
  for (const task of tasks) task()
}

/** Comes back once the program has dealt with the news, which microtasks do. */
function goOn(few: boolean): void {
  if (scheduled) return // what was done with the news at once asked for a turn
  if (!few || performance.now() - began > MOST_MS) {
    flushLater()
  } else {
    scheduled = true
    void DONE.then(tickLater)
  }
}

/** Ticks that microtasks ask for come after all microtasks. */
function tickLater(): void {
  process.nextTick(endTick)
}

function promiseWithResolver() {
  let resolve!: () => void
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
