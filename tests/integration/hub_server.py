"""The few endpoints of the Hugging Face hub that a download asks, over a real socket."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub(repository: str, files: Mapping[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Serves one repository; gives its address and the list of downloaded files, which grows."""
    downloaded: list[str] = []
    known = f"/api/models/{repository}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = urlsplit(self.path).path
            if path in (known, f"{known}/revision/main", f"{known}/revision/{COMMIT}"):
                self.send_json({"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]})
            elif path == f"{known}/tree/{COMMIT}":
                self.send_json(
                    [
                        {"type": "file", "path": name, "size": len(content), "oid": etag(content)}
                        for name, content in files.items()
                    ]
                )
            else:
                self.send_file(path, body=True)

        def do_HEAD(self):
            self.send_file(urlsplit(self.path).path, body=False)

        def send_json(self, value):
            content = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def send_file(self, path, *, body):
            name = path.rsplit("/", 1)[-1]
            if path != f"/{repository}/resolve/{COMMIT}/{name}" or name not in files:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("ETag", f'"{etag(files[name])}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(files[name])))
            self.end_headers()
            if body:
                downloaded.append(name)
                self.wfile.write(files[name])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", downloaded
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def etag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
