"""HTTP as bytes: what no well-behaved client would send."""

import json
import socket
import time
from urllib.parse import urlsplit


class Wire:
    """Requests to one server, each on a connection of its own."""

    def __init__(self, url, headers):
        parts = urlsplit(url)
        self.address = (parts.hostname, parts.port)
        self.path = parts.path
        self.headers = {
            "Host": parts.netloc, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            **headers,
        }

    def connect(self, timeout=20):
        return socket.create_connection(self.address, timeout=timeout)

    def head(self, length=None, method="POST", path=None, without=(), **more):
        """The head of a request. A header that is None is left out; underscores stand for dashes."""
        headers = {name: value for name, value in self.headers.items() if name.lower() not in without}
        headers.update({name.replace("_", "-"): value for name, value in more.items()})
        if length is not None:
            headers["Content-Length"] = str(length)
        lines = [f"{method} {path or self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def raw(self, data, timeout=20):
        """What comes back until the server is done or closes: `(status or None, everything)`."""
        with self.connect(timeout) as connection:
            try:
                connection.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                # The server may have refused before everything was sent.
                pass
            return read(connection)

    def post(self, body, timeout=20, **more):
        """The status and the JSON of the answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        without = more.pop("without", ())
        status, text = self.raw(self.head(len(data), without=without, Connection="close", **more) + data, timeout)
        at = text.find(b"\r\n\r\n")
        content = text[at + 4:] if at >= 0 else b""
        try:
            return status, json.loads(content)
        except ValueError:
            return status, content.decode("utf-8", "replace")


def read(connection):
    """Everything that arrives until the peer closes or the answer is whole."""
    held = b""
    while True:
        try:
            part = connection.recv(1 << 16)
        except (ConnectionResetError, TimeoutError):
            break
        if not part:
            break
        held += part
        end = held.find(b"\r\n\r\n")
        if end >= 0:
            length = header(held[:end], b"content-length")
            if length is not None and len(held) >= end + 4 + int(length) and b"connection: close" not in held[:end].lower():
                connection.settimeout(0.3)
    return status_of(held), held


def header(head, name):
    for line in head.lower().split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip() == name:
            return value.strip()
    return None


def status_of(text):
    if not text.startswith(b"HTTP/1."):
        return None
    return int(text[9:12])


def answers(text):
    """How many answers came."""
    return text.count(b"HTTP/1.1 ") + text.count(b"HTTP/1.0 ")


def closed_within(connections, seconds):
    """How many of the connections the server closed or answered in that time."""
    end, open_ones = time.monotonic() + seconds, list(connections)
    while open_ones and time.monotonic() < end:
        for connection in list(open_ones):
            connection.setblocking(False)
            try:
                part = connection.recv(4096)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                part = b""
            open_ones.remove(connection)
            del part
        time.sleep(0.1)
    return len(connections) - len(open_ones)
