// All options of sockets, by the classes that have them. Numbers and ranges are those of
// native/include/zerowire/options.hpp and native/core/options.cpp.
import { MAX_BATCH } from './batch.js'
import type { Channel } from './channel.js'
import { both, bytes, flag, integer, readOnly, text, unsupported, writeOnly } from './option.js'

const IMMEDIATE = { immediate: true }
const milliseconds = integer(0)

/** For what is about the very message that is received: none may be fetched ahead. */
function oneByOne(channel: Channel, on: boolean): void {
  channel.receiver.batch.oneByOne = on
}

const conflate = writeOnly(54, flag, { effect: oneByOne })
const invertMatching = both(74, flag, IMMEDIATE)
const noDrop = writeOnly(69, flag, IMMEDIATE)
const probeRouter = writeOnly(51, flag, IMMEDIATE)
const routingId = both(5, bytes)

/** Options of every socket. */
export const socketOptions = {
  /** Bit mask of the IO threads that may serve new connections; 0 = all. Default 0. AFFINITY. */
  affinity: both(4, integer(0, Number.MAX_SAFE_INTEGER)),
  /**
   * Milliseconds to flush after close, -1 = until sent. Default -1. At the end of the process
   * sockets that are still open flush for a second at most. LINGER.
   */
  linger: both(17, integer(-1), IMMEDIATE),
  /** Milliseconds before a connection is tried again, -1 = never. Default 100. RECONNECT_IVL. */
  reconnectInterval: both(18, integer(-1)),
  /** Milliseconds up to which that is doubled each time, 0 = not. Default 0. RECONNECT_IVL_MAX. */
  reconnectMaxInterval: both(21, milliseconds),
  /** Connections that may wait to be accepted. Default 100. BACKLOG. */
  backlog: both(19, integer(0)),
  /** Bytes of one part that a peer may send, -1 = any. Default -1. MAXMSGSIZE. */
  maxMessageSize: both(22, integer(-1, Number.MAX_SAFE_INTEGER)),
  /** Bytes of a whole message that a peer may send, -1 = any. Default -1. */
  maxMultipartSize: both(10000, integer(-1, Number.MAX_SAFE_INTEGER)),
  /** Parts of one message that a peer may send. */
  maxMessageParts: both(10001, integer(1)),
  /** 1 = TCP keep-alives, 0 = none, -1 = as the system does. Default -1. TCP_KEEPALIVE. */
  tcpKeepalive: both(34, integer(-1, 1)),
  /** Unanswered keep-alives that end a connection, -1 = the system's. TCP_KEEPALIVE_CNT. */
  tcpKeepaliveCount: both(35, integer(-1, 127)),
  /** Seconds of silence before the first keep-alive, -1 = the system's. TCP_KEEPALIVE_IDLE. */
  tcpKeepaliveIdle: both(36, integer(-1, 32767)),
  /** Seconds between keep-alives, -1 = the system's. TCP_KEEPALIVE_INTVL. */
  tcpKeepaliveInterval: both(37, integer(-1, 32767)),
  /** Name of the TCP congestion control, null = the system's. TCP_CONGESTION of tcp(7). */
  tcpCongestion: both(10002, text),
  /** Not supported: filter connections by their peer's address in a firewall. */
  tcpAcceptFilter: unsupported<string | null>(null),
  /** Queue messages only for connections that are established. Default false. IMMEDIATE. */
  immediate: both(39, flag),
  /** IPv6 beside IPv4. Default: the context's `ipv6`. IPV6. */
  ipv6: both(42, flag),
  /** Byte of the IP header: type of service, or DSCP. Default 0. TOS. */
  typeOfService: both(57, integer(0, 255)),
  /** Milliseconds in which a new connection has to say who it is, 0 = any. 30000. HANDSHAKE_IVL. */
  handshakeInterval: both(66, milliseconds),
  /** Milliseconds between PINGs, 0 = none. Default 0. HEARTBEAT_IVL. */
  heartbeatInterval: both(75, milliseconds),
  /** Milliseconds of silence after which the peer shall give us up, in steps of 100, 0 = none. */
  heartbeatTimeToLive: both(76, integer(0, 6553599)),
  /** Milliseconds to wait for an answer to PING, -1 = heartbeatInterval. HEARTBEAT_TIMEOUT. */
  heartbeatTimeout: both(77, integer(-1)),
  /** Milliseconds to establish a connection, 0 = the system's. Default 0. CONNECT_TIMEOUT. */
  connectTimeout: both(79, milliseconds),
  /** Milliseconds until unacknowledged data ends a connection, 0 = the system's. TCP_MAXRT. */
  tcpMaxRetransmitTimeout: both(80, milliseconds),
  /** Name of the network interface to use, null = any. BINDTODEVICE. */
  interface: both(92, text),
  /** Multicast: kilobits per second, headers and repairs included. Default 100. RATE. */
  rate: both(8, integer(1)),
  /** Multicast: milliseconds for which sent data can be asked for again. 10000. RECOVERY_IVL. */
  recoveryInterval: both(9, integer(0)),
  /** Multicast: bytes of an IP packet, headers included. Default 1500. MULTICAST_MAXTPDU. */
  multicastMaxTransportDataUnit: both(84, integer(128, 65535)),
  /** Number of the socket's type, as in zmq.h. TYPE. */
  type: readOnly(16, integer(0)),
  /** The endpoint last bound or connected, its wildcards resolved. LAST_ENDPOINT. */
  lastEndpoint: readOnly(32, text),
  /** Always null: connections are neither authenticated nor encrypted. MECHANISM. */
  securityMechanism: readOnly(43, {
    check: () => null,
    load: () => null,
    store: () => undefined,
  }),
  /** Whether several threads may use the socket: false. THREAD_SAFE. */
  threadSafe: readOnly(81, flag),

  // Security mechanisms and proxies that are not there.
  plainServer: unsupported(false as boolean),
  plainUsername: unsupported<string | null>(null),
  plainPassword: unsupported<string | null>(null),
  curveServer: unsupported(false as boolean),
  curvePublicKey: unsupported<string | null>(null),
  curveSecretKey: unsupported<string | null>(null),
  curveServerKey: unsupported<string | null>(null),
  gssapiServer: unsupported(false as boolean),
  gssapiPrincipal: unsupported<string | null>(null),
  gssapiServicePrincipal: unsupported<string | null>(null),
  gssapiPlainText: unsupported(false as boolean),
  gssapiPrincipalNameType: unsupported<'hostBased' | 'userName' | 'krb5Principal'>(),
  gssapiServicePrincipalNameType: unsupported<'hostBased' | 'userName' | 'krb5Principal'>(),
  zapDomain: unsupported<string | null>(null),
  zapEnforceDomain: unsupported(false as boolean),
  socksProxy: unsupported<string | null>(null),
  loopbackFastPath: unsupported(false as boolean),

  // Transports that are not there.
  vmciBufferSize: unsupported<number>(),
  vmciBufferMinSize: unsupported<number>(),
  vmciBufferMaxSize: unsupported<number>(),
  vmciConnectTimeout: unsupported<number>(),
}

/** Options of sockets that send. */
export const writableOptions = {
  /** Bytes of the kernel's send buffer, -1 = the system's. SNDBUF. */
  sendBufferSize: both(11, integer(-1)),
  /** Messages queued per peer, 0 = unlimited. Default 1000. SNDHWM. */
  sendHighWaterMark: both(23, integer(0), IMMEDIATE),
  /** Milliseconds until a waiting send fails with EAGAIN, 0 = at once, -1 = never. SNDTIMEO. */
  sendTimeout: both(28, integer(-1), {
    immediate: true,
    effect: (channel, value) => {
      channel.sender.timeout = value
    },
  }),
  /** Routers that multicast passes, plus 1. Default 1. MULTICAST_HOPS. */
  multicastHops: both(25, integer(1, 255)),
  /** Whether sockets of this machine hear multicast too. Default true. MULTICAST_LOOP. */
  multicastLoop: both(96, flag),
}

/** Options of sockets that receive. */
export const readableOptions = {
  /** Multicast packets lost for good so far; the event `multicast:gap` tells of each loss. */
  multicastLost: readOnly(10003, integer(0)),
  /**
   * Bytes of the kernel's receive buffer, -1 = the system's, or, over loopback, where messages only
   * come in (Pull, Subscriber, XSubscriber), half of a processor's cache: 512 KiB to 1 MiB. RCVBUF.
   */
  receiveBufferSize: both(12, integer(-1)),
  /** Messages queued per peer, 0 = unlimited. Default 1000. RCVHWM. */
  receiveHighWaterMark: both(24, integer(0), {
    immediate: true,
    effect: (channel, value) => {
      channel.receiver.batch.limit = Math.min(value || MAX_BATCH, MAX_BATCH)
    },
  }),
  /** Milliseconds until a waiting receive fails with EAGAIN, 0 = at once, -1 = never. RCVTIMEO. */
  receiveTimeout: both(27, integer(-1), {
    immediate: true,
    effect: (channel, value) => {
      channel.receiver.timeout = value
    },
  }),
}

export const publisherOptions = {
  /** Wait for subscribers that are full rather than drop what is for them. XPUB_NODROP. */
  noDrop,
  /** Keep only the newest message per subscriber; no multipart messages then. CONFLATE. */
  conflate,
  /** Send what does not match a subscription; to be set on both sides. INVERT_MATCHING. */
  invertMatching,
}

export const subscriberOptions = {
  /** Keep only the newest message per publisher; no multipart messages then. CONFLATE. */
  conflate,
  /** Take what does not match a subscription; to be set on both sides. INVERT_MATCHING. */
  invertMatching,
}

export const requestOptions = {
  /** The name by which a Router knows this socket: 1 to 255 bytes, null = none. ROUTING_ID. */
  routingId,
  /** Send an empty message on every new connection, for a Router to learn of it. PROBE_ROUTER. */
  probeRouter,
  /** Number the requests and drop replies that belong to another one. REQ_CORRELATE. */
  correlate: writeOnly(52, flag, IMMEDIATE),
  /** May send again without having got a reply. REQ_RELAXED. */
  relaxed: writeOnly(53, flag, IMMEDIATE),
}

export const replyOptions = {
  /** The name of this socket: 1 to 255 bytes, null = none. ROUTING_ID. */
  routingId,
}

export const dealerOptions = {
  /** The name by which a Router knows this socket: 1 to 255 bytes, null = none. ROUTING_ID. */
  routingId,
  /** Send an empty message on every new connection, for a Router to learn of it. PROBE_ROUTER. */
  probeRouter,
  /** Keep only the newest message per peer; no multipart messages then. CONFLATE. */
  conflate,
}

export const routerOptions = {
  /** The name by which another Router knows this socket: 1 to 255 bytes, null = none. */
  routingId,
  /** Fail with EHOSTUNREACH rather than drop what cannot be routed. ROUTER_MANDATORY. */
  mandatory: writeOnly(33, flag, IMMEDIATE),
  /** Send an empty message on every new connection, for a Router to learn of it. PROBE_ROUTER. */
  probeRouter,
  /** A new peer with the routing id of another takes its place. ROUTER_HANDOVER. */
  handover: writeOnly(56, flag, IMMEDIATE),
}

export const pipelineOptions = {
  /** Keep only the newest message per peer; no multipart messages then. CONFLATE. */
  conflate,
}

export const xPublisherOptions = {
  /** Wait for subscribers that are full rather than drop what is for them. XPUB_NODROP. */
  noDrop,
  /** Subscriptions take effect by subscribe() and unsubscribe() here only. XPUB_MANUAL. */
  manual: writeOnly(71, flag, { immediate: true, effect: oneByOne }),
  /** What every new subscriber is sent first, if it subscribes to it. XPUB_WELCOME_MSG. */
  welcomeMessage: writeOnly(72, bytes, IMMEDIATE),
  /** Send what does not match a subscription; to be set on both sides. INVERT_MATCHING. */
  invertMatching,
}
