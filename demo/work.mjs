// Work for processors.

/** Counts the primes below a limit. */
export function primesBelow(limit) {
  const composite = new Uint8Array(limit)
  let primes = 0
  for (let n = 2; n < limit; n++) {
    if (composite[n]) continue
    primes++
    for (let multiple = n * n; multiple < limit; multiple += n) composite[multiple] = 1
  }
  return primes
}

/** Keeps the thread busy: nothing else of its JavaScript runs meanwhile. */
export function busyFor(milliseconds) {
  const end = Date.now() + milliseconds
  while (Date.now() < end) primesBelow(1000)
}
