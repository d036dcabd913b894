// How tests and peers name the parts of messages: hex, and from 256 bytes on "@size:seed", which
// stands for bytes (seed + i) % 251. A receiver verifies every byte before it answers "@size:seed".

const hexLimit = 256
const modulus = 251

/** The spec of a text. */
export const text = (value: string) => Buffer.from(value).toString('hex')

/** The spec of a patterned part of at least 256 bytes. */
export const sized = (size: number, seed: number) => `@${size}:${seed}`

function pattern(size: number, seed: number): Buffer {
  const period = Buffer.from(Array.from({ length: modulus }, (_, i) => (seed + i) % modulus))
  return Buffer.alloc(size, period)
}

export function toBytes(spec: string): Buffer {
  const match = /^@(\d+):(\d+)$/.exec(spec)
  return match ? pattern(Number(match[1]), Number(match[2])) : Buffer.from(spec, 'hex')
}

export function toSpec(data: Buffer): string {
  if (data.length < hexLimit) return data.toString('hex')
  const seed = data[0] as number
  return data.equals(pattern(data.length, seed)) ? sized(data.length, seed) : 'corrupt'
}

/** Messages every pair of sockets must carry unharmed, as [name, specs of the parts]. */
export const messages: readonly (readonly [string, readonly string[]])[] = [
  ['a short text', [text('hello')]],
  ['an empty part', ['']],
  ['several parts', [text('a'), text('bc'), text('def')]],
  ['empty parts among others', ['', text('x'), '', '']],
  ['all byte values', [Buffer.from(Array.from({ length: 255 }, (_, i) => i)).toString('hex')]],
  ['the longest short frame and the shortest long one', [sized(256, 3), sized(257, 4)]],
  ['parts around 32 KiB', [sized(32767, 4), sized(32768, 5), sized(32769, 6)]],
  ['parts around 64 KiB', [sized(65535, 1), sized(65536, 2), sized(65537, 3)]],
  ['1 MiB', [sized(1 << 20, 17)]],
  ['8 MiB between small parts', [text('head'), sized(8 << 20, 99), text('tail')]],
]
