// When a process that uses sockets ends. Each case is a process of its own.
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { Pull } from '../../lib/index.js'
import { ended, outcome, own, run, start } from './support.js'

describe('a process ends by itself', () => {
  test.each([
    ['after nothing but import', ''],
    ['with a new socket', 'new z.Dealer()'],
    ['with a bound socket', 'await new z.Reply().bind("tcp://127.0.0.1:*")'],
    ['with a connecting socket', 'new z.Subscriber().connect("tcp://127.0.0.1:9")'],
    ['with listeners of events', 'new z.Pair().events.on("bind", () => 0)'],
    ['with a closed socket', 'new z.Pair().close()'],
    ['with a closed context', 'const c = new z.Context(); new z.Pair({ context: c }); c.close()'],
    [
      'after messages',
      'a.connect(await b.bind("tcp://127.0.0.1:*")); a.send(1); await b.receive()',
    ],
    [
      'after round trips',
      `
      a.connect(await b.bind('tcp://127.0.0.1:*'))
      for (let i = 0; i < 300; i++) {
        await a.send(i); await b.send(await b.receive()); await a.receive()
      }`,
    ],
    ['after a receive timed out', 'await b.receive({ timeout: 1 }).catch(() => 0)'],
    ['after a send was cancelled', 'await a.send(1, { timeout: 1 }).catch(() => 0)'],
    ['after an iteration', 'setImmediate(() => b.close()); for await (const m of b) m'],
    [
      'after a proxy',
      `
      const [front, back] = [new z.Pull(), new z.Push({ linger: 0 })]
      await front.bind('inproc://front'); await back.bind('inproc://back')
      const proxy = new z.Proxy(front, back); const running = proxy.run()
      setImmediate(() => proxy.terminate()); await running`,
    ],
  ])('%s', async (_name, source) => {
    const sockets = 'const [a, b] = [new z.Pair({ linger: 0 }), new z.Pair({ linger: 0 })]'
    expect(await run(`import * as z from 'zerowire'; ${sockets}; ${source}`)).toEqual({
      ...ended,
      stdout: '',
    })
  })
})

describe('a process stays alive', () => {
  /** Says "waiting" when nothing but the operation can keep it alive, ends when told "go". */
  async function waits(source: string, go: string): Promise<string> {
    const child = start(`
      import * as z from 'zerowire'
      import { writeSync } from 'node:fs'
      const say = (text) => writeSync(1, text + '\\n')
      ${source}
      process.channel.unref()
      process.once('message', () => { process.channel.unref(); ${go} })
      process.once('beforeExit', () => say('left the loop'))
      setImmediate(() => setImmediate(() => say('waiting')))
    `)
    await once(child.stdout as NodeJS.ReadableStream, 'data')
    const end = outcome(child)
    child.send('go')
    const { code, stdout, stderr } = await end
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return stdout
  }

  test('while a receive waits', async () => {
    const stdout = await waits(
      `const a = new z.Pair(), b = new z.Pair()
       b.connect(await a.bind('tcp://127.0.0.1:*'))
       a.receive().then(([part]) => say('got ' + part))`,
      'b.send("it")',
    )
    expect(stdout).toBe('got it\nleft the loop\n')
  })

  test('while a send waits', async () => {
    const stdout = await waits(
      `const a = new z.Push(), b = new z.Pull()
       await a.bind('inproc://x')
       a.send('it').then(() => say('sent'))`,
      'b.connect("inproc://x"); b.receive().then(([part]) => say("got " + part))',
    )
    expect(stdout.split('\n').sort().join(' ')).toBe(' got it left the loop sent')
  })

  test('while an iteration waits', async () => {
    const stdout = await waits(
      `const a = new z.Pair()
       const iteration = (async () => { for await (const _ of a); say('done') })()`,
      'a.close()',
    )
    expect(stdout).toBe('done\nleft the loop\n')
  })

  test('while an event is waited for', async () => {
    const stdout = await waits(
      `const a = new z.Pair()
       a.events.receive().then(({ type }) => say(type))`,
      'a.bind("tcp://127.0.0.1:*")',
    )
    expect(stdout).toBe('bind\nleft the loop\n')
  })

  test('while a closed socket flushes', async () => {
    const [pull] = own(new Pull())
    const address = await pull.bind('tcp://127.0.0.1:*')
    const end = run(`
      import { Push } from 'zerowire'
      const push = new Push()
      push.connect('${address}')
      for (let i = 0; i < 1000; i++) push.send(Buffer.alloc(1000, String(i % 10)))
      push.close()
    `)
    for (let i = 0; i < 1000; i++) {
      const [part] = await pull.receive()
      if (!part?.equals(Buffer.alloc(1000, String(i % 10)))) throw new Error(`${i}: ${part}`)
    }
    expect(await end).toEqual({ ...ended, stdout: '' })
  })

  test('while the sockets of a proxy flush that has ended', async () => {
    const [pull] = own(new Pull())
    const address = await pull.bind('tcp://127.0.0.1:*')
    await pull.unbind(address)
    const child = start(`
      import { Proxy, Pull, Push } from 'zerowire'
      const [push, front, back] = [new Push(), new Pull(), new Push({ reconnectInterval: 10 })]
      await front.bind('inproc://front')
      push.connect('inproc://front')
      back.connect('${address}')
      const proxy = new Proxy(front, back)
      const running = proxy.run()
      for (let i = 0; i < 100; i++) await push.send(String(i))
      push.close()
      setTimeout(async () => {
        proxy.terminate()
        await running
        process.send('ended')
        process.disconnect()
      }, 200)
    `)
    const end = outcome(child)
    await once(child, 'message')
    await pull.bind(address)
    for (let i = 0; i < 100; i += 1) expect(String((await pull.receive())[0])).toBe(String(i))
    expect(await end).toEqual({ ...ended, stdout: '' })
  })

  test('for as long as linger says, and no longer', async () => {
    const source = `
      import { Push } from 'zerowire'
      const push = new Push({ linger: 50 })
      push.connect('tcp://127.0.0.1:9')
      push.send('nobody will read this')
      push.close()
    `
    expect(await run(source)).toEqual({ ...ended, stdout: '' })
  })
})

test('copies of the package in one process hear of their own messages', async () => {
  const { stdout, stderr, code } = await run(`
    import { createRequire } from 'node:module'
    const require = createRequire(import.meta.url)
    const load = () => {
      for (const path in require.cache) if (!path.endsWith('.node')) delete require.cache[path]
      return require('zerowire')
    }
    const [one, two] = [load(), load()]
    for (const [a, b] of [[one, two], [two, one], [one, one]]) {
      const [pull, push] = [new a.Pull(), new b.Push()]
      const received = pull.receive()
      push.connect(await pull.bind('tcp://127.0.0.1:*'))
      await push.send('hello')
      console.log(String((await received)[0]), one !== two)
    }
  `)
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stderr: '',
    stdout: 'hello true\n'.repeat(3),
  })
})

describe('process.exit ends a process', () => {
  test.each([
    ['while a receive waits', 'a.receive()'],
    ['while a send waits', 'a.send("x")'],
    ['while an iteration waits', 'void (async () => { for await (const _ of a); })()'],
    ['while a socket lingers', 'a.connect("tcp://127.0.0.1:9"); a.send(1); a.close()'],
  ])('%s', async (_name, source) => {
    const program = `
      import { Pair } from 'zerowire'
      const a = new Pair()
      ${source}
      setImmediate(() => process.exit(7))
    `
    expect(await run(program)).toEqual({ ...ended, code: 7, stdout: '' })
  })
})

test('what a listener of events throws is an uncaught exception', async () => {
  const { code, stdout } = await run(`
    import { Pair } from 'zerowire'
    process.on('uncaughtException', (error) => console.log('uncaught', error.message))
    const socket = new Pair()
    socket.events.on('bind', () => { throw new Error('mine') })
    socket.events.on('end', () => console.log('still served'))
    await socket.bind('tcp://127.0.0.1:*')
    setTimeout(() => socket.close(), 20)
  `)
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'uncaught mine\nstill served\n' })
})
