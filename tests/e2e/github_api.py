"""GitHub's API for the whole-fleet test: every request is written down and checked by Prism against GitHub's own description.

The description's examples answer what nobody asks twice. What the fleet comes back to (issues, comments, labels, references)
is remembered, so that a comment that was written is found again.
"""

import json
import re
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMENTS = re.compile(r"^/repos/([^/]+/[^/]+)/issues/(\d+)/comments$")
COMMENT = re.compile(r"^/repos/([^/]+/[^/]+)/issues/comments/(\d+)$")


class GithubApi:
    """The recording server before Prism: `url`, `requests` as (method, path, body), `comments` by issue, `complaints`."""

    def __init__(self, prism):
        self.prism = prism
        self.requests, self.complaints, self.comments = [], [], {}
        self.lock = threading.Lock()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else b""
                status, answer = api.answer(self.command, self.path, body, dict(self.headers))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, method, path, body, headers):
        if method == "GET" and "/contents/" in path:
            # Prism takes no path of several folders for one parameter. Nothing has been committed there.
            with self.lock:
                self.requests.append((method, path, None))
            return 404, b'{"message": "Not Found"}'
        status, answer = self.ask_prism(method, path, body, headers)
        with self.lock:
            self.requests.append((method, path, json.loads(body) if body else None))
            if status in (404, 422) and b"NO_PATH_MATCHED" in answer or status in (400, 422):
                self.complaints.append(f"{method} {path}: {status} {answer[:400].decode(errors='replace')}")
                return status, answer
            return self.remembered(method, path.split("?")[0], body, status, answer)

    def remembered(self, method, path, body, status, answer):
        """The answer with what was written before in it."""
        if found := COMMENTS.match(path):
            listed = self.comments.setdefault((found[1], int(found[2])), [])
            if method == "GET":
                return 200, json.dumps(listed).encode()
            if method == "POST":
                number = 1 + sum(len(comments) for comments in self.comments.values())
                comment = {**json.loads(answer), "id": number, "body": json.loads(body)["body"]}
                comment["html_url"] = f"https://github.com/{found[1]}/issues/{found[2]}#issuecomment-{number}"
                listed.append(comment)
                return status, json.dumps(comment).encode()
        if (found := COMMENT.match(path)) and method == "PATCH":
            for comment in (comment for comments in self.comments.values() for comment in comments):
                if comment["id"] == int(found[2]):
                    comment["body"] = json.loads(body)["body"]
                    return 200, json.dumps(comment).encode()
        return status, answer

    def ask_prism(self, method, path, body, headers):
        kept = {name: value for name, value in headers.items() if name.lower() in ("content-type", "accept", "authorization")}
        request = urllib.request.Request(self.prism + path, data=body or None, headers=kept, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
