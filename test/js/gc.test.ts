// What the garbage collector may take, and what not. In processes of their own, with a context
// whose number of sockets is limited: a socket can be created again only when one was closed.
import { expect, test } from 'vitest'
import { run } from './support.js'

const prelude = `
  import * as z from 'zerowire'
  import { setTimeout as delay } from 'node:timers/promises'
  // In a turn of its own: weak references that were looked at hold until the end of a turn.
  const collect = async () => { await delay(1); gc() }
  const context = new z.Context({ maxSockets: 3 })
  /** Collects until another socket fits in. */
  const another = async (Class) => {
    for (let tries = 0; tries < 2000; tries++) {
      try { return new Class({ context }) } catch (error) {
        if (error.code !== 'EMFILE') throw error
        await collect()
      }
    }
    throw new Error('no socket was collected')
  }
`

async function expectOutput(source: string, stdout: string) {
  const outcome = await run(prelude + source, '--expose-gc')
  expect(outcome).toEqual({ code: 0, signal: null, stderr: '', stdout })
}

test('idle sockets that nobody knows any more are closed', async () => {
  await expectOutput(
    `for (let i = 0; i < 20; i++) (await another(z.Dealer)).bindSync('inproc://' + i)
     console.log('fine')`,
    'fine\n',
  )
})

test('what they have sent is still delivered', async () => {
  await expectOutput(
    `const pull = new z.Pull({ context })
     const address = await pull.bind('tcp://127.0.0.1:*')
     for (let i = 0; i < 10; i++) {
       const push = await another(z.Push)
       push.connect(address)
       await push.send(String(i))
     }
     const seen = new Set()
     while (seen.size < 10) { seen.add(String((await pull.receive())[0])); await collect() }
     console.log('fine')`,
    'fine\n',
  )
})

test('a socket with a waiting operation stays', async () => {
  await expectOutput(
    `const address = 'inproc://kept'
     const received = (() => {
       const pull = new z.Pull({ context })
       pull.bindSync(address)
       return pull.receive()
     })()
     for (let i = 0; i < 20; i++) await collect()
     const push = new z.Push({ context })
     push.connect(address)
     await push.send('here')
     console.log(String((await received)[0]))`,
    'here\n',
  )
})

test('a socket whose events are listened to stays', async () => {
  await expectOutput(
    `let accepted
     const done = new Promise((resolve) => { accepted = resolve })
     const address = (() => {
       const pair = new z.Pair({ context })
       pair.events.on('accept', accepted)
       return pair.bindSync('tcp://127.0.0.1:*')
     })()
     for (let i = 0; i < 20; i++) await collect()
     const other = new z.Pair({ context })
     other.connect(address)
     const alive = setInterval(() => {}, 1000)
     console.log((await done).type)
     clearInterval(alive)`,
    'accept\n',
  )
})

test('a socket whose events nobody listens to any more is closed', async () => {
  await expectOutput(
    `for (let i = 0; i < 20; i++) {
       const { events } = await another(z.Dealer)
       const listener = () => 0
       events.on('bind', listener).off('bind', listener)
     }
     console.log('fine')`,
    'fine\n',
  )
})

test('contexts that nobody knows any more end their threads', async () => {
  await expectOutput(
    `import { readdirSync } from 'node:fs'
     const threads = () => readdirSync('/proc/self/task').length
     const make = () => {
       new z.Pair({ context: new z.Context() }).bindSync('tcp://127.0.0.1:*')
     }
     make()
     await collect()
     const before = threads()
     for (let i = 0; i < 20; i++) make()
     const most = threads()
     for (let tries = 0; threads() > before && tries < 2000; tries++) await collect()
     console.log(most >= before + 19, threads() <= before)`,
    'true true\n',
  )
})

test('memory of large messages is accounted for, and comes back', async () => {
  await expectOutput(
    `const MiB = 1024 * 1024
     const pull = new z.Pull({ context })
     const push = new z.Push({ context })
     push.connect(await pull.bind('tcp://127.0.0.1:*'))
     const body = Buffer.alloc(MiB)
     const receive = async (count) => {
       const kept = []
       for (let i = 0; i < count; i++) {
         await push.send(body)
         kept.push(await pull.receive())
       }
       return kept
     }
     await receive(1)
     for (let i = 0; i < 20; i++) await collect()
     const before = process.memoryUsage().external
     const counted = () => Math.round((process.memoryUsage().external - before) / MiB)
     for (let round = 0; round < 3; round++) {
       let kept = await receive(100)
       console.log(kept.length, counted())
       kept = undefined
       for (let tries = 0; counted() !== 0 && tries < 500; tries++) await collect()
       console.log(counted())
     }`,
    '100 100\n0\n'.repeat(3),
  )
})

test('a closed socket lets go of its context', async () => {
  await expectOutput(
    `const closed = []
     const make = () => {
       const mine = new z.Context()
       const socket = new z.Pair({ context: mine })
       socket.close()
       closed.push(socket)
       return new WeakRef(mine)
     }
     const refs = [make(), make(), make()]
     const gone = () => refs.every((ref) => ref.deref() === undefined)
     for (let tries = 0; !gone() && tries < 2000; tries++) await collect()
     console.log(gone(), closed.length)`,
    'true 3\n',
  )
})

test.each(['64 KiB', '1 MiB', '4 MiB'])(
  'messages of %s that are not kept are freed by collections of young objects',
  async (size) => {
    await expectOutput(
      `import { constants, PerformanceObserver } from 'node:perf_hooks'
     const count = { minor: 0, major: 0 }
     new PerformanceObserver((list) => {
       for (const { detail } of list.getEntries()) {
         count[detail.kind === constants.NODE_PERFORMANCE_GC_MINOR ? 'minor' : 'major'] += 1
       }
     }).observe({ entryTypes: ['gc'] })
     const pull = new z.Pull({ context })
     const push = new z.Push({ context })
     push.connect(await pull.bind('tcp://127.0.0.1:*'))
     const [KiB, MiB] = [1024, 1024 * 1024]
     const body = Buffer.alloc(${size.replace(' ', ' * ')})
     let most = 0
     for (let i = 0; i < (400 * MiB) / body.length; i++) {
       await push.send(body)
       await pull.receive()
       most = Math.max(most, process.memoryUsage().external)
     }
     console.log(count.minor > 2 * count.major, most < 100 * MiB)`,
      'true true\n',
    )
  },
)
