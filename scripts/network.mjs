// Private networks for tests, benchmarks and the demo: hosts, which are network namespaces of
// Linux, on a switch. They need no names and nothing to be removed: each lasts as long as a process
// in it, which ends when this one does.
//
// As root they are made directly, as anybody else in a user namespace, where the system allows it.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const asRoot = process.getuid() === 0
const PREFIX = '10.77.0'
const PREFIX_IPV6 = 'fd77::'
/** Whether the hosts speak IPv6 too. */
export const hasIpv6 = existsSync('/proc/net/if_inet6')
/** Where nft is on Debian, which is not on everybody's PATH. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }

/** Why there can be no private networks here; undefined if there can. */
export function networkProblem() {
  for (const program of ['unshare', 'nsenter', 'ip', 'nft']) {
    const found = env.PATH.split(':').some((folder) => existsSync(`${folder}/${program}`))
    if (!found) return `there is no program "${program}" (Debian: util-linux, iproute2, nftables)`
  }
  const script = 'ip link add name test type veth && nft list ruleset'
  const flags = asRoot ? '-n' : '-Urn'
  const { status, stderr } = spawnSync('unshare', [flags, 'sh', '-c', script], { env })
  const cause = String(stderr).trim().split('\n').at(-1)
  return status === 0 ? undefined : `network namespaces need root, or unshare -Urn: ${cause}`
}

/** Starts a process that holds a namespace, and waits until it is in it. */
async function hold(command) {
  const [program, ...args] = [...command, 'sh', '-c', 'echo; exec cat']
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)))
    child.stdout.once('data', resolve)
  })
  child.removeAllListeners('exit')
  return child
}

/** A part of the network that programs can run in. */
class Namespace {
  #holder

  constructor(holder) {
    this.#holder = holder
  }

  get pid() {
    return this.#holder.pid
  }

  /** The command that runs `command` in here. */
  inside(command) {
    const user = asRoot ? [] : ['-U', '--preserve-credentials']
    return ['nsenter', '-t', String(this.pid), ...user, '-n', '--', ...command]
  }

  /** Runs a program with this input; returns what it wrote. */
  run(command, input = '') {
    const [program, ...args] = this.inside(command)
    const { status, stdout, stderr } = spawnSync(program, args, { env, input })
    if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`)
    return String(stdout)
  }

  /** Like node:child_process, in here. */
  spawn(command, options = {}) {
    const [program, ...args] = this.inside(command)
    return spawn(program, args, { ...options, env: { ...env, ...options.env } })
  }

  release() {
    this.#holder.kill('SIGKILL')
  }
}

/** The rules of `lose`. */
function rules({ percent = 0, ports = [], from, to, types = [] }) {
  const drop = []
  const count = types.map((type) => `udp dport 1-65535 @th,96,8 ${type} counter`)
  const some = ports.length > 0 ? `udp dport { ${ports.join(', ')} } ` : ''
  const share = Math.round(percent * 100)
  if (share > 0) {
    drop.push(`meta l4proto udp ${some}numgen random mod 10000 < ${share} counter drop`)
    if (!some) drop.push(`meta l4proto 113 numgen random mod 10000 < ${share} counter drop`)
  }
  if (from !== undefined) {
    drop.push(`meta time >= ${from} meta time < ${to} meta l4proto { 17, 113 } drop`)
  }
  const hook = 'type filter hook prerouting priority -400'
  return `table inet loss {\n chain in {\n${[hook, ...count, ...drop].join('\n')}\n }\n}\n`
}

export class Host extends Namespace {
  /** The host's addresses, on the interface eth0. */
  address
  ipv6
  #limited = false

  constructor(holder, number) {
    super(holder)
    this.address = `${PREFIX}.${number}`
    this.ipv6 = `${PREFIX_IPV6}${number}`
  }

  /**
   * Lets datagrams that come in get lost: a share of them (`percent`, on these `ports` or all), and
   * all of them between two times (`from` and `to`, whole seconds since 1970). PGM packets of
   * `types` are counted before. Replaces what was said before.
   */
  lose(what) {
    const old = this.#limited ? 'delete table inet loss\n' : ''
    this.run(['nft', '-f', '-'], old + rules(what))
    this.#limited = true
  }

  /** How many packets of the types named to `lose` came in, in their order. */
  counts() {
    const text = this.run(['nft', 'list', 'table', 'inet', 'loss'])
    return [...text.matchAll(/@th.*counter packets (\d+)/g)].map(([, count]) => Number(count))
  }

  /** How many packets were the share that got lost. */
  dropped() {
    const text = this.run(['nft', 'list', 'table', 'inet', 'loss'])
    const counts = [...text.matchAll(/numgen.*counter packets (\d+)/g)]
    return counts.reduce((total, [, count]) => total + Number(count), 0)
  }
}

export class Network {
  /** @type {Host[]} */
  hosts = []
  #switch

  /**
   * `segments`: packets travel in pieces of many where the sending program and the kernel can do
   * so. Without, each is for itself, as on a cable; what is lost is single packets then.
   */
  static async create(hosts, { segments = false } = {}) {
    const network = new Network()
    try {
      await network.#build(hosts, segments)
    } catch (error) {
      network.close()
      throw error
    }
    return network
  }

  /** What `body(network)` returns; the network ends with it. */
  static async during(hosts, options, body) {
    const network = await Network.create(hosts, options)
    try {
      return await body(network)
    } finally {
      network.close()
    }
  }

  async #build(count, segments) {
    this.#switch = new Namespace(await hold(['unshare', asRoot ? '-n' : '-Urn']))
    const lines = ['link add sw type bridge mcast_snooping 0', 'link set sw up']
    for (let i = 1; i <= count; i++) {
      const holder = await hold(this.#switch.inside(['unshare', '-n']))
      this.hosts.push(new Host(holder, i))
      lines.push(`link add port${i} type veth peer name eth0 netns ${holder.pid}`)
      lines.push(`link set port${i} master sw up`)
    }
    this.#switch.run(['ip', '-batch', '-'], lines.join('\n'))
    // Where the kernel lets iptables see what a bridge carries, packets need not go that way.
    for (const protocol of ['ip', 'ip6']) {
      const setting = `/proc/sys/net/bridge/bridge-nf-call-${protocol}tables`
      this.#switch.run(['sh', '-c', `echo 0 > ${setting} || true`])
    }
    for (const host of this.hosts) {
      const setting = segments ? [] : ['link set eth0 gso_max_segs 1']
      const up = ['link set lo up multicast on', 'link set eth0 up']
      const address = [`addr add ${host.address}/24 dev eth0`, 'route add 224.0.0.0/4 dev eth0']
      // Nobody else has the address: it need not be asked for, which takes a second.
      const ipv6 = hasIpv6 ? [`addr add ${host.ipv6}/64 dev eth0 nodad`] : []
      host.run(['ip', '-batch', '-'], [...setting, ...up, ...address, ...ipv6].join('\n'))
    }
  }

  close() {
    for (const host of this.hosts) host.release()
    this.#switch?.release()
  }
}
