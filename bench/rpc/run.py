"""One run of one of Python's RPC libraries, as run.mjs does for those of Node.js:
`python3 bench/rpc/run.py pyzmq --size 64 --count 100`. Calls an echo service in a second process,
`count` calls under way at any time; prints one line of JSON."""

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time


def say(endpoint):
    print(endpoint, flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()


class Pyzmq:
    """Request and reply for one call at a time, DEALER and ROUTER for more."""

    @staticmethod
    def serve(count):
        import zmq

        socket = zmq.Context.instance().socket(zmq.REP if count == 1 else zmq.ROUTER)
        say("tcp://127.0.0.1:%d" % socket.bind_to_random_port("tcp://127.0.0.1"))
        while True:
            socket.send_multipart(socket.recv_multipart())

    @staticmethod
    def connect(endpoint):
        import zmq

        socket = zmq.Context.instance().socket(zmq.REQ)
        socket.connect(endpoint)

        def call(payload):
            socket.send(payload)
            return socket.recv()

        return call

    @staticmethod
    def stream(endpoint, payload, count, done):
        """Keeps `count` requests under way until done(start) says so."""
        import zmq

        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.connect(endpoint)
        starts = []
        for _ in range(count):
            starts.append(time.perf_counter())
            socket.send(payload)
        while True:
            socket.recv()
            if done(starts.pop(0)):
                return
            starts.append(time.perf_counter())
            socket.send(payload)


class Pyro:
    @staticmethod
    def serve(_count):
        import Pyro4

        Pyro4.config.SERIALIZER = "marshal"
        Pyro4.config.THREADPOOL_SIZE = 200

        @Pyro4.expose
        class Echo:
            def echo(self, text):
                return text

        daemon = Pyro4.Daemon(host="127.0.0.1")
        uri = str(daemon.register(Echo))
        say(uri)
        daemon.requestLoop()

    @staticmethod
    def connect(uri):
        import Pyro4

        Pyro4.config.SERIALIZER = "marshal"
        proxy = Pyro4.Proxy(uri)
        return lambda payload: proxy.echo(payload.decode())


class Xmlrpc:
    @staticmethod
    def serve(_count):
        from socketserver import ThreadingMixIn
        from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

        class Handler(SimpleXMLRPCRequestHandler):
            protocol_version = "HTTP/1.1"  # keeps connections open
            disable_nagle_algorithm = True
            wbufsize = -1

        class Server(ThreadingMixIn, SimpleXMLRPCServer):
            daemon_threads = True
            request_queue_size = 256

        server = Server(("127.0.0.1", 0), requestHandler=Handler, logRequests=False)
        server.register_function(lambda text: text, "echo")
        say("http://127.0.0.1:%d" % server.server_address[1])
        server.serve_forever()

    @staticmethod
    def connect(url):
        from xmlrpc.client import ServerProxy

        proxy = ServerProxy(url)
        return lambda payload: proxy.echo(payload.decode())


class Jsonrpclib:
    @staticmethod
    def serve(_count):
        from socketserver import ThreadingMixIn

        from jsonrpclib.SimpleJSONRPCServer import SimpleJSONRPCServer

        class Server(ThreadingMixIn, SimpleJSONRPCServer):
            daemon_threads = True
            request_queue_size = 256

        server = Server(("127.0.0.1", 0), logRequests=False)
        server.register_function(lambda text: text, "echo")
        say("http://127.0.0.1:%d" % server.socket.getsockname()[1])
        server.serve_forever()

    @staticmethod
    def connect(url):
        from jsonrpclib import ServerProxy

        proxy = ServerProxy(url)
        return lambda payload: proxy.echo(payload.decode())


def cpu_of(pid):
    """Seconds so far, ended threads included."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_here():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Window:
    """Counts the calls between the end of the warm-up and the end of the run. Any thread."""

    def __init__(self, options, far):
        self.far = far
        self.warm = time.perf_counter() + options.warm_up
        self.end = self.warm + options.seconds
        self.samples = []
        self.opened = None
        self.lock = threading.Lock()

    def done(self, start):
        now = time.perf_counter()
        with self.lock:
            if self.opened is not None:
                self.samples.append(now - start)
            elif now >= self.warm:
                self.opened = now
                self.cpu = cpu_here() + cpu_of(self.far.pid)
        return now >= self.end

    def result(self, size):
        seconds = time.perf_counter() - self.opened
        cpu = cpu_here() + cpu_of(self.far.pid) - self.cpu
        with self.lock:
            samples = sorted(self.samples)
        count = len(samples)
        return {
            "messages": count,
            "seconds": seconds,
            "rate": count / seconds,
            "megabytesPerSecond": count * size / seconds / 1e6,
            "cpuPerMessage": cpu / count * 1e6,
            "p50": samples[count // 2] * 1e6,
            "p99": samples[int(count * 0.99)] * 1e6,
            "mean": sum(samples) / count * 1e6,
        }


def near(library, options):
    command = [sys.executable, __file__, *sys.argv[1:], "--role", "far"]
    far = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    endpoint = far.stdout.readline().strip()
    payload = b"D" * options.size
    window = Window(options, far)

    def worker():
        call = library.connect(endpoint)
        while True:
            start = time.perf_counter()
            if len(call(payload)) != len(payload):
                raise ValueError("another number of bytes came back")
            if window.done(start):
                return

    if options.count > 1 and hasattr(library, "stream"):
        library.stream(endpoint, payload, options.count, window.done)
    else:
        threads = [threading.Thread(target=worker, daemon=True) for _ in range(options.count)]
        for thread in threads:
            thread.start()
        threads[0].join(options.deadline)
    head = {"library": options.library, "size": options.size, "count": options.count}
    print(json.dumps({**head, **window.result(options.size)}), flush=True)
    far.kill()
    os._exit(0)


def main():
    libraries = {"pyzmq": Pyzmq, "pyro": Pyro, "xmlrpc": Xmlrpc, "jsonrpclib": Jsonrpclib}
    parser = argparse.ArgumentParser()
    parser.add_argument("library", choices=libraries)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--warm-up", type=float, default=0.5)
    parser.add_argument("--seconds", type=float, default=0.8)
    parser.add_argument("--deadline", type=float, default=30)
    parser.add_argument("--role", default="near")
    options = parser.parse_args()
    library = libraries[options.library]
    if options.role == "far":
        library.serve(options.count)
    else:
        near(library, options)


main()
