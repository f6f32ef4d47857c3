"""The runtime API of Lambda, and of its API for extensions what a function registers itself with, as small as they can be: one
function at a time, its invocations one after the other."""

import contextlib
import json
import os
import queue
import socket
import subprocess
import threading
import time

ARN = b"arn:aws:lambda:us-east-1:123456789012:function:measured"


class RuntimeApi:
    """Answers the function that polls it. `ready` is when the first poll came, by `time.perf_counter`. Requests are read by hand:
    what a parser of headers takes would be counted as the function's."""

    def __init__(self):
        self.ready, self.ended = threading.Event(), threading.Event()
        self.ready_at = None
        self.todo, self.done = queue.Queue(), queue.Queue()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()
        self.count = 0

    def listen(self):
        # A function that is ended drops its connections, and the listener is closed at the end.
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(ConnectionError), connection, connection.makefile("rb") as stream:
            while line := stream.readline():
                method, path, _ = line.split(b" ", 2)
                body = self.body(stream)
                at = time.perf_counter()
                if path.endswith(b"/extension/event/next"):
                    # Nothing happens to an extension before the function is ended.
                    self.ended.wait()
                    return
                if method == b"GET":
                    if self.ready_at is None:
                        self.ready_at = at
                        self.ready.set()
                    number, event = self.todo.get()
                    if number is None:
                        return
                    connection.sendall(answer(b"200 OK", event, (
                        b"Lambda-Runtime-Aws-Request-Id: request-%d\r\nLambda-Runtime-Deadline-Ms: %d\r\n"
                        b"Lambda-Runtime-Invoked-Function-Arn: %s\r\n") % (number, (time.time() + 300) * 1000, ARN)))
                elif path.endswith((b"/response", b"/error")):
                    self.done.put((at, path.endswith(b"/response"), body))
                    connection.sendall(answer(b"202 Accepted", b""))
                else:
                    about = b'{"functionName":"measured","functionVersion":"$LATEST","handler":"bootstrap"}'
                    connection.sendall(answer(b"200 OK", about, b"Lambda-Extension-Identifier: 1\r\n"))

    @staticmethod
    def body(stream):
        length, chunked = 0, False
        while (header := stream.readline().lower()) not in (b"\r\n", b""):
            if header.startswith(b"content-length:"):
                length = int(header[15:])
            chunked = chunked or header.startswith(b"transfer-encoding:") and b"chunked" in header
        if not chunked:
            return stream.read(length)
        parts = []
        while size := int(stream.readline(), 16):
            parts.append(stream.read(size))
            stream.readline()
        stream.readline()
        return b"".join(parts)

    def invoke(self, event):
        """Seconds of one invocation, and what it gave."""
        self.count += 1
        begun = time.perf_counter()
        self.todo.put((self.count, event if isinstance(event, bytes) else json.dumps(event).encode()))
        at, succeeded, body = self.done.get(timeout=120)
        if not succeeded:
            raise RuntimeError(body.decode()[:500])
        return at - begun, json.loads(body)

    def close(self):
        self.ended.set()
        self.todo.put((None, b""))
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def answer(status, body, headers=b""):
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
    return head % (status, len(body), headers) + body


class Function:
    """A function's process under the runtime API; `init` is the seconds from its start to its first poll."""

    def __init__(self, command, environment=None, folder=None):
        self.api = RuntimeApi()
        told = {
            "AWS_LAMBDA_RUNTIME_API": self.api.address, "AWS_LAMBDA_FUNCTION_NAME": "measured",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/measured", "AWS_LAMBDA_LOG_STREAM_NAME": "1",
            "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        }
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            command, env={**os.environ, **told, **(environment or {})}, cwd=folder, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if not self.api.ready.wait(60):
            self.close()
            raise RuntimeError(f"{command} never asked for an invocation")
        self.init = self.api.ready_at - begun

    def invoke(self, event):
        return self.api.invoke(event)

    def memory(self):
        """What the process holds, in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.api.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
