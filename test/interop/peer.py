"""A pyzmq peer driven over stdio; commands and answers as described in peer.c."""

import errno
import json
import sys

import zmq

HEX_LIMIT = 256
MODULUS = 251

OPTIONS = {
    "routingId": zmq.ROUTING_ID,
    "linger": zmq.LINGER,
    "sendHighWaterMark": zmq.SNDHWM,
    "receiveHighWaterMark": zmq.RCVHWM,
    "heartbeatInterval": zmq.HEARTBEAT_IVL,
    "heartbeatTimeout": zmq.HEARTBEAT_TIMEOUT,
    "heartbeatTimeToLive": zmq.HEARTBEAT_TTL,
    "probeRouter": zmq.PROBE_ROUTER,
    "mandatory": zmq.ROUTER_MANDATORY,
    "correlate": zmq.REQ_CORRELATE,
    "reconnectInterval": zmq.RECONNECT_IVL,
    "rate": zmq.RATE,
    "recoveryInterval": zmq.RECOVERY_IVL,
}

context = zmq.Context()
sockets = {}


def pattern(size, seed):
    period = bytes((seed + i) % MODULUS for i in range(MODULUS))
    return (period * (size // MODULUS + 1))[:size]


def to_bytes(spec):
    if spec.startswith("@"):
        size, seed = spec[1:].split(":")
        return pattern(int(size), int(seed))
    return bytes.fromhex(spec)


def to_spec(data):
    if len(data) < HEX_LIMIT:
        return data.hex()
    return f"@{len(data)}:{data[0]}" if data == pattern(len(data), data[0]) else "corrupt"


def open_socket(name, kind, *options):
    socket = context.socket(getattr(zmq, kind))
    socket.linger = 0
    socket.sndtimeo = 10000
    for key, value in zip(options[::2], options[1::2]):
        socket.setsockopt(OPTIONS[key], value.encode() if key == "routingId" else int(value))
    sockets[name] = socket
    return []


def bind(name, endpoint):
    sockets[name].bind(endpoint)
    return [sockets[name].last_endpoint.decode().rstrip("\0")]


def receive(name, timeout):
    sockets[name].rcvtimeo = int(timeout)
    return [to_spec(part) for part in sockets[name].recv_multipart()]


COMMANDS = {
    "open": open_socket,
    "bind": bind,
    "connect": lambda name, endpoint: sockets[name].connect(endpoint),
    "disconnect": lambda name, endpoint: sockets[name].disconnect(endpoint),
    "subscribe": lambda name, topic: sockets[name].subscribe(bytes.fromhex(topic)),
    "unsubscribe": lambda name, topic: sockets[name].unsubscribe(bytes.fromhex(topic)),
    "send": lambda name, *parts: sockets[name].send_multipart([to_bytes(p) for p in parts]),
    "receive": receive,
    "close": lambda name: sockets.pop(name).close(),
}


def answer(*words):
    print(json.dumps(words), flush=True)


answer("ok", "ready")
for line in iter(sys.stdin.readline, ""):
    command, *words = json.loads(line)
    try:
        result = COMMANDS[command](*words)
        answer("ok", *(result if isinstance(result, list) else []))
    except zmq.ZMQError as failure:
        names = {zmq.EFSM: "EFSM", zmq.EAGAIN: "EAGAIN"}
        answer("error", names.get(failure.errno) or errno.errorcode.get(failure.errno, "?"))
context.destroy(linger=0)
