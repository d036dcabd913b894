// Sockets in worker threads. Workers of a process of its own, as they load the built package.
import { describe, expect, test } from 'vitest'
import { ended, run } from './support.js'

function program(worker: string, main: string): string {
  return `
    import * as z from 'zerowire'
    import { Worker } from 'node:worker_threads'
    import { once } from 'node:events'
    const source = ${JSON.stringify(`
      import * as z from 'zerowire'
      import { parentPort, workerData } from 'node:worker_threads'
      ${worker}
    `)}
    // The flags of this process hold for its workers: their source is a module, too.
    const start = (workerData) => new Worker(source, { eval: true, workerData })
    ${main}
  `
}

describe('worker threads', () => {
  test('talk over inproc through the default context', async () => {
    const source = program(
      `const reply = new z.Reply()
       reply.connect('inproc://work')
       for (;;) {
         const [task] = await reply.receive()
         await reply.send(task + ' done by ' + workerData)
         if (String(task) === 'last') break
       }
       reply.close()`,
      `const dealer = new z.Dealer()
       await dealer.bind('inproc://work')
       const end = once(start('one'), 'exit')
       for (const task of ['first', 'last']) {
         await dealer.send(['', task])
         console.log(String((await dealer.receive())[1]))
       }
       await end`,
    )
    const stdout = 'first done by one\nlast done by one\n'
    expect(await run(source)).toEqual({ ...ended, stdout })
  })

  test('work side by side, each with its own loop', async () => {
    const source = program(
      `const push = new z.Push()
       push.connect('inproc://sink')
       await push.sendMany(Array.from({ length: 2000 }, (_, i) => String(i)))
       push.close()`,
      `const pull = new z.Pull()
       await pull.bind('inproc://sink')
       const ends = [1, 2, 3].map((i) => once(start(i), 'exit'))
       let count = 0
       for await (const _ of pull) if (++count === 6000) break
       await Promise.all(ends)
       console.log(count)`,
    )
    expect(await run(source)).toEqual({ ...ended, stdout: '6000\n' })
  })

  test.each([
    ['while a receive waits', 'new z.Pull().receive()'],
    ['while a send waits', 'new z.Push().send("x")'],
    [
      'while a bound socket iterates',
      `
      const pull = new z.Pull(); await pull.bind('tcp://127.0.0.1:*')
      parentPort.postMessage('up'); for await (const _ of pull);`,
    ],
    [
      'while a socket lingers',
      `
      const push = new z.Push(); push.connect('tcp://127.0.0.1:9')
      push.send('x'); push.close(); new z.Pull().receive()`,
    ],
    [
      'under a flood',
      `
      const a = new z.Push(), b = new z.Pull()
      a.connect(await b.bind('tcp://127.0.0.1:*'))
      ;(async () => { for (;;) await a.send('flood') })()
      for await (const _ of b);`,
    ],
  ])('can be terminated %s', async (_name, worker) => {
    const source = program(
      `setImmediate(() => parentPort.postMessage('up')); ${worker}`,
      `for (let i = 0; i < 3; i++) {
         const worker = start()
         await once(worker, 'message')
         await worker.terminate()
       }
       console.log('fine')`,
    )
    expect(await run(source)).toEqual({ ...ended, stdout: 'fine\n' })
  })

  test('end by themselves with idle sockets', async () => {
    const source = program(
      `await new z.Reply().bind('tcp://127.0.0.1:*')`,
      `console.log((await once(start(), 'exit'))[0])`,
    )
    expect(await run(source)).toEqual({ ...ended, stdout: '0\n' })
  })

  test('cannot take the memory of received messages along', async () => {
    const source = program(
      '',
      `const [push, pull] = [new z.Push(), new z.Pull()]
       push.connect(await pull.bind('inproc://x'))
       await push.sendMany(['one', 'two'])
       const [one] = await pull.receive()
       try { structuredClone(one, { transfer: [one.buffer] }) } catch {}
       const [two] = await pull.receive()
       console.log(String(one), String(two))`,
    )
    expect(await run(source)).toEqual({ ...ended, stdout: 'one two\n' })
  })
})
