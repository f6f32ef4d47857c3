"""The measured servers, and the one client that measures them all: a socket or a pipe, and messages written beforehand."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
VERSION = "2025-11-25"
HELLO = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


def message(method, params, number=1):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()


LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")
INITIALIZE = message("initialize", HELLO)
INITIALIZED = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
LIST = message("tools/list", {})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """A server: how it is started on either transport, and under which name it stands in the tables."""

    def __init__(self, name, stdio, http, environment=None):
        self.name, self.commands = name, {"stdio": stdio, "http": http}
        self.environment = {**os.environ, **(environment or {})}


def peers(binary, home, store):
    """mlops, and the same tool in two Python libraries."""
    key = "bench-key"
    environment = {
        "MLOPS_HOME": home, "MLOPS_STORE": f"file://{store}", "MLOPS_SECRET_MCP_API_KEY": key,
        "MLOPS_MCP_CALLS_PER_MINUTE": "0", "MLOPS_MCP_TOOLSETS": "model_registry",
    }
    twin = [sys.executable, os.path.join(HERE, "python_server.py")]
    return [
        Peer("mlops", [binary, "mcp", "--stdio"], [binary, "mcp", "--http", "127.0.0.1:{port}"], environment),
        Peer("Python mcp", [*twin, "mcp", "stdio", store], [*twin, "mcp", "http", store, "{port}"]),
        Peer("fastmcp", [*twin, "fastmcp", "stdio", store], [*twin, "fastmcp", "http", store, "{port}"]),
    ], key


class Stdio:
    """A server on pipes."""

    def __init__(self, peer):
        self.process = subprocess.Popen(
            peer.commands["stdio"], env=peer.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.pid = self.process.pid

    def hello(self):
        self.exchange(INITIALIZE)
        self.process.stdin.write(INITIALIZED + b"\n")
        self.process.stdin.flush()

    def exchange(self, body):
        self.send(body, 1)
        return self.process.stdout.readline()

    def send(self, body, number):
        self.process.stdin.write(body.replace(b'"id": 1,', b'"id": %d,' % number, 1) + b"\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Connection:
    """One connection of HTTP/1.1 that is kept open."""

    def __init__(self, port, key):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {VERSION}\r\nX-API-Key: {key}\r\n"
        ).encode()

    def exchange(self, body):
        """The body of the answer. Little is parsed: what the client costs, every server seems to cost."""
        self.socket.sendall(b"%sContent-Length: %d\r\n\r\n%s" % (self.head, len(body), body))
        held = b""
        while (end := held.find(b"\r\n\r\n")) < 0:
            held += self.receive()
        head, text = held[:end].lower(), held[end + 4:]
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(f"{head!r}: {text[:300]!r}")
        length = LENGTH.search(head)
        if length is None:
            while not text.endswith(b"0\r\n\r\n"):
                text += self.receive()
            return text[text.index(b"{"):text.rindex(b"}") + 1]
        wanted = int(length.group(1))
        while len(text) < wanted:
            text += self.receive()
        return text

    def receive(self):
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError("the server closed the connection")
        return part

    def close(self):
        self.socket.close()


class Http:
    """A server on a port."""

    def __init__(self, peer, key):
        self.port, self.key = free_port(), key
        command = [word.replace("{port}", str(self.port)) for word in peer.commands["http"]]
        self.process = subprocess.Popen(
            command, env=peer.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.pid = self.process.pid
        self.connection = None

    def hello(self):
        for _ in range(30_000):
            try:
                self.connection = Connection(self.port, self.key)
                break
            except ConnectionRefusedError:
                time.sleep(0.001)
        self.exchange(INITIALIZE)

    def exchange(self, body):
        return self.connection.exchange(body)

    def close(self):
        if self.connection:
            self.connection.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def started(peer, transport, key):
    """The running server, and the seconds from its start to its first answer."""
    begun = time.perf_counter()
    server = Stdio(peer) if transport == "stdio" else Http(peer, key)
    server.hello()
    return server, time.perf_counter() - begun


def memory(pid):
    """What the process holds, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) * 1024


def throughput(server, body, seconds, connections=8):
    """Calls per second over so many connections at once; on pipes, with so many calls under way."""
    if isinstance(server, Stdio):
        count, end = 0, time.perf_counter() + seconds
        begun = time.perf_counter()
        # Calls that are under way at once need ids of their own.
        for number in range(connections):
            server.send(body, number)
        while time.perf_counter() < end:
            server.process.stdout.readline()
            count += 1
            server.send(body, connections + count)
        took = time.perf_counter() - begun
        for _ in range(connections):
            server.process.stdout.readline()
        return count / took
    counts = [0] * connections
    end = time.perf_counter() + seconds

    def work(index):
        connection = Connection(server.port, server.key)
        while time.perf_counter() < end:
            connection.exchange(body)
            counts[index] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - begun)
