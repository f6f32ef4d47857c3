"""The runtime API of Lambda, as small as it can be: one function at a time, its invocations one after the other."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ARN = "arn:aws:lambda:us-east-1:123456789012:function:measured"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        # A function that is ended drops its connection.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class RuntimeApi:
    """Answers the function that polls it. `ready` is when the first poll came, by `time.perf_counter`."""

    def __init__(self):
        self.ready = threading.Event()
        self.ready_at = None
        self.todo, self.done = queue.Queue(), queue.Queue()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self):
                if api.ready_at is None:
                    api.ready_at = time.perf_counter()
                    api.ready.set()
                number, body = api.todo.get()
                if number is None:
                    self.close_connection = True
                    return
                self.answer(200, body, {
                    "Lambda-Runtime-Aws-Request-Id": f"request-{number}",
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 300) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": ARN,
                })

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) if (
                    self.headers.get("Transfer-Encoding") != "chunked") else self.chunks()
                at = time.perf_counter()
                if self.path.endswith(("/response", "/error")):
                    api.done.put((at, self.path.endswith("/response"), body))
                    self.answer(202, b"")
                else:
                    # The API for extensions: where there is none, a function says so and goes on.
                    self.answer(404, b"")

            def chunks(self):
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def answer(self, status, body, headers=None):
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.count = 0

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
        self.todo.put((None, b""))
        self.server.shutdown()
        self.server.server_close()


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
