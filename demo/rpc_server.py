"""An XML-RPC server whose thread is busy for a second on the way. Prints its port."""

import sys
import threading
import time
from xmlrpc.server import SimpleXMLRPCServer

busy_at, busy_seconds = float(sys.argv[1]), float(sys.argv[2])
calls = 0


def add():
    global calls, busy_at
    calls += 1
    if time.time() >= busy_at:
        end = time.time() + busy_seconds
        busy_at = float("inf")
        while time.time() < end:
            pass
    return calls


server = SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False)
server.register_function(add)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
