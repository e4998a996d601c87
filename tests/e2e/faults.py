"""Servers and peers that misbehave, in threads of the test itself."""
import contextlib
import http.server
import os
import re
import socket
import threading
import urllib.parse


class FaultyOrigin:
    """An HTTP server whose first answers have a fault: corrupt, 503, truncated or whole_file."""

    def __init__(self, scene, folder, fault, faulty_answers, retry_after_s=None):
        self.folder, self.fault, self.left = folder, fault, faulty_answers
        self.retry_after_s = retry_after_s  # of a 503
        self.faults = 0
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients that go away are no news
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        scene.callback(self.server.server_close)
        scene.callback(self.server.shutdown)

    def answer(self, request):
        name = urllib.parse.unquote(request.path.split("?")[0]).lstrip("/")
        with open(os.path.join(self.folder, name), "rb") as file:
            data = file.read()
        begin, end, ranged = 0, len(data), request.headers.get("Range")
        if ranged:
            first, _, last = ranged.partition("=")[2].partition("-")
            begin, end = int(first), min(int(last) + 1 if last else end, end)
        fault = None
        if request.command == "GET":
            with self.lock:
                if self.left > 0:
                    self.left -= 1
                    self.faults += 1
                    fault = self.fault
        self.reply(request, fault, data, begin, end, bool(ranged))

    def reply(self, request, fault, data, begin, end, ranged):
        if fault == "503":
            request.send_response(503)
            request.send_header("Content-Length", "0")
            if self.retry_after_s is not None:
                request.send_header("Retry-After", str(self.retry_after_s))
            request.end_headers()
            return
        if fault == "whole_file":
            begin, end, ranged = 0, len(data), False
        body = data[begin:end]
        request.send_response(206 if ranged else 200)
        if ranged:
            request.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if fault == "corrupt":
            body = bytes(byte ^ 0x55 for byte in body)
        if fault == "truncated":
            body = body[:len(body) // 2]
            request.close_connection = True
        if request.command == "GET":
            request.wfile.write(body)


def handshake(info_hash):
    return b"\x13BitTorrent protocol" + bytes(8) + info_hash + b"-XX0000-garbagegarba"


class BadPeer:
    """Accepts connections and answers with `answer`, then falls silent or, with `close`, hangs up."""

    def __init__(self, scene, answer, close=False):
        self.answer, self.close, self.accepted = answer, close, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.connections = []
        threading.Thread(target=self.serve, daemon=True).start()
        scene.callback(self.stop)

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            self.connections.append(connection)
            try:
                connection.sendall(self.answer)
                if self.close:
                    connection.close()
            except OSError:
                pass

    def stop(self):
        self.socket.close()
        for connection in self.connections:
            connection.close()


class LyingPeer(BadPeer):
    """Says that it has the metadata, `size` bytes of it, and gives zeros for what it is asked."""

    OUR_METADATA = 3  # the id by which it wants ut_metadata

    def __init__(self, scene, info_hash, size):
        reserved = bytes(5) + b"\x10\0\0"
        greeting = b"\x13BitTorrent protocol" + reserved + info_hash + b"-XX0000-liarliarliar"
        self.size, self.lies = size, 0
        super().__init__(scene, greeting + self.extended(
            0, b"d1:md11:ut_metadatai%dee13:metadata_sizei%dee" % (self.OUR_METADATA, size)))

    @staticmethod
    def extended(number, body):
        return (len(body) + 2).to_bytes(4, "big") + bytes([20, number]) + body

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            self.connections.append(connection)
            threading.Thread(target=self.lie, args=(connection,), daemon=True).start()

    def lie(self, connection):
        received, theirs = b"", None
        with contextlib.suppress(OSError):
            connection.sendall(self.answer)
            while part := connection.recv(65536):
                received += part
                known = re.search(rb"11:ut_metadatai(\d+)e", received)
                theirs = theirs or (known and int(known.group(1)))
                for request in re.finditer(rb"8:msg_typei0e5:piecei(\d+)e", received):
                    piece = int(request.group(1))
                    body = b"d8:msg_typei1e5:piecei%de10:total_sizei%dee" % (piece, self.size)
                    connection.sendall(self.extended(
                        theirs, body + bytes(min(16384, self.size - 16384 * piece))))
                    self.lies += 1
                    received = received[request.end():]
                    break
