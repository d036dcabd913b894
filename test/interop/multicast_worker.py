"""libzmq's sockets, driven as multicast_worker.mjs drives ours: see there."""

import json
import select
import sys
import time

import zmq


def say(what):
    print(json.dumps(what), flush=True)


def told(seconds):
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def repeat(socket, message):
    while not told(0.02):
        socket.send_multipart(message)
    return sys.stdin.readline()


def publish(socket, task):
    topic = task["topic"].encode()
    socket.bind(task["endpoint"])
    repeat(socket, [topic, b"hello"])
    start = time.monotonic()
    for k in range(task["count"]):
        time.sleep(max(0, start + k / task["pace"] - time.monotonic()))
        socket.send_multipart([topic, b"%d" % k, bytes([k % 251]) * (37 * k % task["sizes"])])
    say("sent")
    while repeat(socket, [topic, b"end", b"%d" % task["count"]]):
        pass


def subscribe(socket, task):
    socket.rcvtimeo = task["patience"]
    socket.subscribe(b"")
    socket.connect(task["endpoint"])
    waiting, unheard = set(task["topics"]), set(task["topics"])
    report = {}
    try:
        while waiting:
            topic, kind, *rest = socket.recv_multipart()
            topic = topic.decode()
            empty = {"received": 0, "next": 0, "missing": 0, "wrong": 0}
            seen = report.setdefault(topic, empty)
            if kind == b"hello":
                if topic in unheard:
                    unheard.remove(topic)
                    if not unheard:
                        say("ready")
            elif kind == b"end":
                if topic in waiting:
                    waiting.remove(topic)
                    seen["missing"] += int(rest[0]) - seen["next"]
            else:
                k = int(kind)
                good = rest == [bytes([k % 251]) * (37 * k % task["sizes"])]
                seen["wrong"] += not good or k < seen["next"]
                seen["missing"] += max(0, k - seen["next"])
                seen["next"] = k + 1
                seen["received"] += 1
    except zmq.Again:
        report["error"] = "EAGAIN"
    say({"topics": report, "gaps": [], "lost": 0})


def main():
    mode, task = sys.argv[1], json.loads(sys.argv[2])
    socket = zmq.Context().socket(zmq.PUB if mode == "publish" else zmq.SUB)
    socket.linger = 0
    socket.rate = task["rate"]
    socket.recovery_ivl = task["recovery"]
    (publish if mode == "publish" else subscribe)(socket, task)


main()
