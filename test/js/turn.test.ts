// What happens at the end of a turn of the event loop: the thread may look for answers itself.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ended, run } from './support.js'

const processor = /^Cpus_allowed_list:\s*(\d+)/m.exec(
  readFileSync('/proc/self/status', 'utf8'),
)?.[1]

/** The main thread, and what it starts from then on, on one processor. */
const pin = `
  import { execFileSync } from 'node:child_process'
  execFileSync('taskset', ['-c', '-p', '${processor}', String(process.pid)])
`
const setUp = `
  import * as z from 'zerowire'
  const [request, reply] = [new z.Request(), new z.Reply()]
  request.connect(await reply.bind('tcp://127.0.0.1:*'))
  const echo = async () => {
    for await (const parts of reply) await reply.send(parts)
  }
  const echoed = echo()
  async function trips(request, count) {
    for (let i = 0; i < count; i += 1) {
      await request.send(String(i))
      const [answer] = await request.receive()
      if (String(answer) !== String(i)) throw new Error('not ' + i + ' but ' + answer)
    }
  }
`

describe.each([
  ['on one processor', pin],
  ['on all processors', ''],
])('%s', (_, placement) => {
  /** Runs the source with a Request and a Reply that echoes; the process has to end by itself. */
  async function play(source: string): Promise<void> {
    const end = 'reply.close(); await echoed; console.log("done")'
    const all = `${placement}${setUp}${source};${end}`
    expect(await run(all)).toEqual({ ...ended, stdout: 'done\n' })
  }

  test('requests are answered in turn, and timers have theirs', async () => {
    await play(`
      await trips(request, 1000)
      let late = false
      setTimeout(() => { late = true }, 5)
      while (!late) await trips(request, 1)
      request.close()
    `)
  })

  // Where other tests want the same processor, that is for them.
  test.runIf(placement === '')(
    'answers do not wait for a round of the event loop each',
    async () => {
      await play(`
      let rounds
      const count = () => {
        rounds += 1
        counting = setImmediate(count)
      }
      let counting = setImmediate(count)
      do {
        rounds = 0
        await trips(request, 10)
      } while (rounds >= 15) // both sockets are news once a trip
      clearImmediate(counting)
      request.close()
    `)
    },
  )

  test('a peer that answers after a pause is heard', async () => {
    await play(`
      await trips(request, 100)
      const later = new z.Request()
      later.connect(reply.lastEndpoint)
      await new Promise((resolve) => setTimeout(resolve, 20))
      await trips(later, 1)
      for (const until = Date.now() + 20; Date.now() < until; );
      await trips(request, 100)
      for (const socket of [request, later]) socket.close()
    `)
  })

  test('the network is served while other news comes all the time', async () => {
    await play(`
      const [ping, pong] = [0, 0].map(() => new z.Pair({ sendHighWaterMark: 1 }))
      await ping.bind('inproc://table')
      pong.connect('inproc://table')
      const play = async (player) => {
        for await (const ball of player) await player.send(ball)
      }
      const game = [play(ping), play(pong)]
      await ping.send('ball')
      await trips(request, 100)
      await new Promise((resolve) => setTimeout(resolve, 5))
      for (const socket of [request, ping, pong]) socket.close()
      await Promise.allSettled(game)
    `)
  })

  test('the process ends when what was closed at the end of a turn is gone', async () => {
    await play(`
      await trips(request, 100)
      const dealer = new z.Dealer()
      dealer.connect(reply.lastEndpoint)
      await dealer.send(['', 'x'])
      await dealer.receive()
      await trips(request, 10)
      dealer.close()
    `)
  })

  test('a worker and the main thread share the context', async () => {
    await play(`
      import { Worker } from 'node:worker_threads'
      const worker = new Worker(
        "import('zerowire').then(async (z) => {" +
          "const request = new z.Request();" +
          "request.connect(" + JSON.stringify(reply.lastEndpoint) + ");" +
          "for (let i = 0; i < 300; i++) { await request.send('w'); await request.receive() }" +
          "request.close() })",
        { eval: true },
      )
      const exited = new Promise((resolve) => worker.once('exit', resolve))
      await trips(request, 300)
      if ((await exited) !== 0) throw new Error('the worker failed')
      await trips(request, 300)
      request.close()
    `)
  })
})
