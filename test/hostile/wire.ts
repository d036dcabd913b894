// ZMTP bytes written by hand: what tests send as a raw peer, and read from the library.
import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export const more = 1
export const long = 2
export const command = 4

/** The 64 bytes that open a ZMTP 3 connection. */
export function greeting({ major = 3, minor = 1, mechanism = 'NULL', server = 0 } = {}): Buffer {
  const bytes = Buffer.alloc(64)
  bytes[0] = 0xff
  bytes[9] = 0x7f
  bytes[10] = major
  bytes[11] = minor
  bytes.write(mechanism, 12, 'latin1')
  bytes[32] = server
  return bytes
}

/** A frame, long form where its size needs it (or `flags` asks for it). */
export function frame(body: Buffer | string, flags = 0): Buffer {
  const bytes = Buffer.from(body)
  if (bytes.length < 256 && !(flags & long)) {
    return Buffer.concat([Buffer.from([flags, bytes.length]), bytes])
  }
  return Buffer.concat([longHeader(BigInt(bytes.length), flags), bytes])
}

/** The header of a frame that claims `size` bytes. */
export function longHeader(size: bigint, flags = 0): Buffer {
  const header = Buffer.alloc(9)
  header[0] = flags | long
  header.writeBigUInt64BE(size, 1)
  return header
}

export function property(name: string, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(bytes.length)
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name, 'latin1'), size, bytes])
}

/** A command frame: the name with its length, then its data. */
export function commandFrame(name: string, data: Buffer | string = ''): Buffer {
  const head = Buffer.concat([Buffer.from([name.length]), Buffer.from(name, 'latin1')])
  return frame(Buffer.concat([head, Buffer.from(data)]), command)
}

export const ready = (type: string, properties: Buffer[] = []) =>
  commandFrame('READY', Buffer.concat([property('Socket-Type', type), ...properties]))

export interface Frame {
  readonly flags: number
  readonly body: Buffer
}

/** "READY", "PING", ... of a command frame, "" of others. */
export function commandName({ flags, body }: Frame): string {
  return flags & command ? body.subarray(1, 1 + (body[0] as number)).toString('latin1') : ''
}

/** A TCP connection on which a test speaks for itself. Reads fail once the other side has closed. */
export class RawPeer {
  /** Settles when the connection has ended, however it did. */
  readonly closed: Promise<void>
  #received = Buffer.alloc(0)
  #ended = false
  #wake = () => {}

  constructor(readonly socket: Socket) {
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data])
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#ended = true
        this.#wake()
        resolve()
      })
    })
    onTestFinished(() => void socket.destroy())
  }

  /** Connects to a "tcp://127.0.0.1:port" endpoint. */
  static async connect(endpoint: string): Promise<RawPeer> {
    const socket = dial(Number(endpoint.split(':').at(-1)), '127.0.0.1')
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new RawPeer(socket)
  }

  write(...chunks: (Buffer | string)[]): this {
    this.socket.write(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))))
    return this
  }

  /** Waits for the bytes; does not consume them when the connection ends before. */
  async read(size: number): Promise<Buffer> {
    while (this.#received.length < size) {
      if (this.#ended) throw new Error(`connection closed with ${this.#received.length} bytes`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const bytes = this.#received.subarray(0, size)
    this.#received = this.#received.subarray(size)
    return bytes
  }

  async frame(): Promise<Frame> {
    const flags = (await this.read(1))[0] as number
    const header = await this.read(flags & long ? 8 : 1)
    const size = flags & long ? Number(header.readBigUInt64BE()) : (header[0] as number)
    return { flags, body: await this.read(size) }
  }

  /** Frames until one is the command `name`. */
  async command(name: string): Promise<Frame> {
    for (;;) {
      const next = await this.frame()
      if (commandName(next) === name) return next
    }
  }

  /** Greeting and READY both ways, as an honest peer of this type and version. */
  handshake(type: string, minor = 1, properties: Buffer[] = []): Promise<Frame> {
    this.write(greeting({ minor }), ready(type, properties))
    return this.welcome()
  }

  /** Our greeting and READY; returns the latter. */
  async welcome(): Promise<Frame> {
    await this.read(64)
    return await this.frame()
  }
}

/** A listener whose connections the test serves by hand. */
export class RawServer {
  readonly #accepted: RawPeer[] = []
  #wake = () => {}

  private constructor(readonly server: Server) {
    server.on('connection', (socket) => {
      this.#accepted.push(new RawPeer(socket))
      this.#wake()
    })
    onTestFinished(() => void server.close())
  }

  static async listen(): Promise<RawServer> {
    const server = createServer({ allowHalfOpen: true })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new RawServer(server)
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.server.address() as { port: number }).port}`
  }

  /** The next connection, in order of arrival. */
  async accept(): Promise<RawPeer> {
    while (this.#accepted.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#accepted.shift() as RawPeer
  }
}
