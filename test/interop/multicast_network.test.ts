// PGM between hosts of a private network that loses packets, between us and libzmq.
import { type ChildProcess, execFileSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { type Host, hasIpv6, Network, networkProblem } from '../../scripts/network.mjs'

const problem = networkProblem()
if (problem) console.warn(`multicast between hosts is not tested: ${problem}`)

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const workers = {
  zerowire: [process.execPath, here('multicast_worker.mjs')],
  libzmq: ['/usr/bin/python3', here('multicast_worker.py')],
}
type Kind = keyof typeof workers

const GROUP = '239.192.77.1'
const GROUP_IPV6 = 'ff05::7500'
const PORT = 7500
/** Options of the sockets, and how many lengths messages have. */
const FAST = { rate: 100_000, recovery: 10_000, patience: 10_000, sizes: 4000 }
/** Messages of up to 14 packets. */
const LARGE = { ...FAST, sizes: 20_000 }
/** The default rate: 12.5 kB/s. */
const SLOW = { ...FAST, rate: 100, sizes: 50 }

function libzmqHasPgm(): boolean {
  const script = 'import sys, zmq; sys.exit(0 if zmq.has("pgm") else 1)'
  try {
    execFileSync('/usr/bin/python3', ['-c', script], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

interface Report {
  topics: Record<string, { received: number; missing: number; wrong: number }>
  gaps: { count: number; cause: string }[]
  lost: number
}

const networks: Network[] = []
const running = new Set<Worker>()

afterEach(() => {
  for (const worker of running) worker.kill()
  for (const network of networks.splice(0)) network.close()
})

async function network(hosts: number): Promise<[Host, Host, Host]> {
  const created = await Network.create(hosts)
  networks.push(created)
  return created.hosts as [Host, Host, Host]
}

/** A process in a host that answers line by line. */
class Worker {
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  readonly #waiting: (() => void)[] = []

  constructor(host: Host, command: string[]) {
    const env = { ...process.env, PGM_MIN_LOG_LEVEL: 'FATAL' }
    this.#child = host.spawn(command, { stdio: ['pipe', 'pipe', 'inherit'], env })
    running.add(this)
    this.#child.stdin?.on('error', () => {})
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    lines.on('line', (line) => this.#take(line))
    this.#child.on('close', (code, signal) => {
      running.delete(this)
      this.#take(JSON.stringify(`ended with ${code ?? signal}`))
    })
  }

  #take(line: string): void {
    this.#lines.push(line)
    this.#waiting.shift()?.()
  }

  async hear(): Promise<unknown> {
    if (this.#lines.length === 0) await new Promise<void>((go) => this.#waiting.push(go))
    return JSON.parse(this.#lines.shift() as string)
  }

  tell(): void {
    this.#child.stdin?.write('\n')
  }

  end(): void {
    this.#child.stdin?.end()
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

interface Task {
  scheme?: string
  group?: string
  settings?: typeof FAST
}

function endpoint(host: Host, { scheme = 'epgm', group = GROUP }: Task): string {
  const where = group.includes(':') ? `[${host.ipv6}];[${group}]` : `${host.address};${group}`
  return `${scheme}://${where}:${PORT}`
}

function subscriber(kind: Kind, host: Host, topics: string[], task: Task = {}): Worker {
  const all = { endpoint: endpoint(host, task), topics, ...(task.settings ?? FAST) }
  return new Worker(host, [...workers[kind], 'subscribe', JSON.stringify(all)])
}

function publisher(
  kind: Kind,
  host: Host,
  stream: { topic: string; count: number; pace: number },
  task: Task = {},
): Worker {
  const all = { endpoint: endpoint(host, task), ...stream, ...(task.settings ?? FAST) }
  return new Worker(host, [...workers[kind], 'publish', JSON.stringify(all)])
}

/** Until the publisher has sent what it has to send, to a subscriber that was ready. */
async function sent(from: Worker, ...to: Worker[]): Promise<void> {
  for (const each of to) expect(await each.hear()).toBe('ready')
  from.tell()
  expect(await from.hear()).toBe('sent')
}

const complete = (received: number) => expect.objectContaining({ received, missing: 0, wrong: 0 })

describe.skipIf(problem)('between hosts', () => {
  const pairs: [Kind, Kind][] = [['zerowire', 'zerowire']]
  if (libzmqHasPgm()) pairs.push(['zerowire', 'libzmq'], ['libzmq', 'zerowire'])

  const tasks = ['epgm', 'pgm'].flatMap((scheme) =>
    [GROUP, ...(hasIpv6 ? [GROUP_IPV6] : [])].map((group) => ({ scheme, group, settings: LARGE })),
  )

  describe.each(tasks)('over $scheme, $group', (task) => {
    test('two publishers and a subscriber on one of the hosts, 5 % get lost', async () => {
      const hosts = await network(2)
      for (const host of hosts) host.lose({ percent: 5 })
      const subs = [hosts[0], hosts[1]].map((host) =>
        subscriber('zerowire', host, ['a', 'b'], task),
      )
      const pubs = ['a', 'b'].map((topic) =>
        publisher('zerowire', hosts[0], { topic, count: 300, pace: 300 }, task),
      )
      for (const sub of subs) expect(await sub.hear()).toBe('ready')
      for (const pub of pubs) pub.tell()
      for (const pub of pubs) expect(await pub.hear()).toBe('sent')
      for (const sub of subs) {
        const { topics } = (await sub.hear()) as Report
        expect(topics).toEqual({ a: complete(300), b: complete(300) })
      }
    })

    const losses = pairs.flatMap((pair) => [0, 5].map((percent) => [...pair, percent] as const))
    test.each(losses)(
      '%s to %s: of 100 packets %i get lost, nothing is missing',
      async (from, to, percent) => {
        const hosts = await network(2)
        for (const host of hosts) host.lose({ percent })
        const sub = subscriber(to, hosts[1], ['a'], task)
        const pub = publisher(from, hosts[0], { topic: 'a', count: 600, pace: 400 }, task)
        await sent(pub, sub)
        const report = (await sub.hear()) as Report
        expect(report).toMatchObject({ topics: { a: complete(600) }, gaps: [], lost: 0 })
        expect(hosts[1].dropped() > 0).toBe(percent > 0)
      },
    )
  })

  test('one gap is told of when the network is away for longer than is kept', async () => {
    const hosts = await network(2)
    // A message each packet, of which 80 are kept.
    const settings = SLOW
    const sub = subscriber('zerowire', hosts[1], ['a'], { settings })
    const pub = publisher('zerowire', hosts[0], { topic: 'a', count: 500, pace: 100 }, { settings })
    expect(await sub.hear()).toBe('ready')
    const from = Math.ceil(Date.now() / 1000) + 1
    for (const host of hosts) host.lose({ from, to: from + 2 })
    pub.tell()
    expect(await pub.hear()).toBe('sent')
    const { topics, gaps, lost } = (await sub.hear()) as Report
    expect(gaps).toEqual([{ count: lost, cause: 'window' }])
    expect(topics.a).toMatchObject({ wrong: 0 })
    expect(topics.a?.received).toBeGreaterThan(0)
    expect(lost).toBeGreaterThan(0)
  })

  test('groups with one port hear nothing of each other', async () => {
    const [a, b] = await network(2)
    const one = { group: '239.192.77.1' }
    const two = { group: '239.192.77.2' }
    const subs = [subscriber('zerowire', b, ['one'], one), subscriber('zerowire', b, ['two'], two)]
    const pubs = [
      publisher('zerowire', a, { topic: 'one', count: 200, pace: 400 }, one),
      publisher('zerowire', a, { topic: 'two', count: 200, pace: 400 }, two),
    ]
    await Promise.all(pubs.map((pub, i) => sent(pub, subs[i] as Worker)))
    const reports = await Promise.all(subs.map((sub) => sub.hear()))
    expect(reports).toMatchObject([{ gaps: [] }, { gaps: [] }])
    expect((reports as Report[]).map(({ topics }) => topics)).toEqual([
      { one: complete(200) },
      { two: complete(200) },
    ])
  })

  test.each(pairs.map(([from]) => from).filter((kind, i, all) => all.indexOf(kind) === i))(
    'a publisher (%s) that is killed and started again is heard again',
    async (kind) => {
      const [a, b] = await network(2)
      const sub = subscriber('zerowire', b, ['one'])
      const also = subscriber('zerowire', b, ['two'])
      const first = publisher(kind, a, { topic: 'one', count: 100, pace: 400 })
      await sent(first, sub)
      expect(await sub.hear()).toMatchObject({ topics: { one: complete(100) }, lost: 0 })
      first.kill()
      const second = publisher(kind, a, { topic: 'two', count: 100, pace: 400 })
      await sent(second, also)
      const { topics } = (await also.hear()) as Report
      expect(topics.two).toEqual(complete(100))
    },
  )

  test.each(pairs)('%s to %s: hostile datagrams change nothing', async (from, to) => {
    const [a, b, c] = await network(3)
    const sub = subscriber(to, b, ['a'])
    const pub = publisher(from, a, { topic: 'a', count: 1500, pace: 500 })
    const which = from === to ? 'all' : 'survivable'
    const program = [process.execPath, here('multicast_storm.mjs')]
    const storm = new Worker(c, [...program, c.address, GROUP, `${PORT}`, which])
    await sent(pub, sub)
    const report = (await sub.hear()) as Report
    storm.end()
    expect(await storm.hear()).toBeGreaterThan(5000)
    expect(report.topics.a).toEqual(complete(1500))
  })
})
