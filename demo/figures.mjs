// Round trips and throughput, between two processes of this machine.

/** Times of round trips of 64 bytes in microseconds, sorted. */
export async function measureRoundTrips(socket, trips) {
  const message = Buffer.alloc(64, 'x')
  const times = []
  const warmUp = Math.floor(trips / 10)
  for (let i = -warmUp; i < trips; i++) {
    const before = process.hrtime.bigint()
    await socket.send(message)
    await socket.receive()
    if (i >= 0) times.push(Number(process.hrtime.bigint() - before) / 1000)
  }
  return times.sort((a, b) => a - b)
}

const batchSize = 200

/** Sends messages of this size for a while, then an empty one. Returns how many. */
export async function measureThroughput(socket, size, duration) {
  const batch = Array.from({ length: batchSize }, () => Buffer.alloc(size, 'x'))
  const end = Date.now() + duration
  let sent = 0
  while (Date.now() < end) {
    await socket.sendMany(batch)
    sent += batchSize
  }
  await socket.send('')
  return sent
}

/** Receives until an empty message comes. Returns the count and the rate from the first on. */
export async function sinkOf(socket) {
  let received = 0
  let start
  for await (const messages of socket.batches()) {
    start ??= performance.now()
    received += messages.length
    if (messages.at(-1)[0].length === 0) break
  }
  received--
  return { received, rate: (received * 1000) / (performance.now() - start) }
}

/** The value below which this share of the sorted values lies. */
export const percentile = (sorted, share) => sorted[Math.floor(share * (sorted.length - 1))]
