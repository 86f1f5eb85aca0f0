"""A service that asks its extension, and reads a file of its package."""

import http.server
import os
import pathlib

from . import _native

PAGE = (pathlib.Path(__file__).parent / "page.txt").read_text().strip()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{_native.greet()} {PAGE}".encode())


def main():
    http.server.HTTPServer(("", int(os.environ.get("PORT", "8000"))), Handler).serve_forever()
