"""A Redis for one server on one machine: `redis-server` where it is installed, else fakeredis in this process.

It listens on a Unix socket in a private directory and on no port: Argilla's jobs are pickles, and whoever can write
into its Redis can run code as the user. Nothing is kept on disk: what jobs would do is done again at the next start
(`integrity.py`).
"""

from __future__ import annotations

import atexit
import itertools
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

_SECONDS_TO_START = 20


def start_redis() -> str:
    """Start it; returns its URL. It ends with this process, however that ends."""
    directory = Path(tempfile.mkdtemp(prefix="redis-"))  # private to the user; short, as socket paths must be
    path = directory / "socket"
    program = shutil.which("redis-server")
    if program:
        private = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--dir", str(directory)]
        child = guarded([program, *private, "--save", "", "--appendonly", "no"], directory)
        atexit.register(child.wait, 10)
        assert child.stdin is not None, "guarded() opens a pipe"
        atexit.register(child.stdin.close)  # run in the opposite order: the child's guard sees this and ends it
    else:
        threading.Thread(target=_fake(path).serve_forever, daemon=True).start()
        atexit.register(shutil.rmtree, directory, True)
    _wait_for(path)
    return f"unix://{path}"


def guarded(command: list[str], directory: Path | None = None) -> subprocess.Popen:
    """Run a command that is ended when our end of a pipe closes, as it does even if this process is killed.

    Args:
        directory: removed after the end.
    """
    clean = f"; rm -rf '{directory}'" if directory else ""
    # A session of its own: Ctrl-C at the terminal must reach the server alone, which still needs its Redis to stop.
    script = f'"$@" & child=$!; (read _; kill $child) <&3 2>/dev/null & wait $child; code=$?{clean}; exit $code'
    return subprocess.Popen(
        ["sh", "-c", f"exec 3<&0; {script}", "sh", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _fake(path: Path):
    """fakeredis' server on a Unix socket, with two of its habits mended that RQ does not survive."""
    import redis
    from fakeredis import TcpFakeServer
    from fakeredis._clients._tcp_server import TCPFakeRequestHandler

    class Handler(TCPFakeRequestHandler):
        def setup(self) -> None:
            super().setup()
            read = self.current_client.read_response

            def response():
                try:
                    return read()
                except redis.ResponseError as error:
                    return error  # an answer like any other; the original closes the connection after it

            self.current_client.read_response = response
            self.writer.writer = self  # the original's own cannot write more than the socket's buffer takes

        def write(self, data: bytes) -> None:
            rest = memoryview(data)
            while rest:
                select.select([], [self.connection], [])
                rest = rest[self.connection.send(rest) :]

        def flush(self) -> None: ...

    class UnixFakeServer(TcpFakeServer):
        address_family = socket.AF_UNIX
        _numbers = itertools.count()

        def get_request(self):
            connection, _ = super().get_request()
            return connection, ("unix", next(self._numbers))  # clients are told apart by address; Unix has none

    server = UnixFakeServer(str(path), server_type="redis")
    server.RequestHandlerClass = Handler
    server.daemon_threads = True  # else this process could not end while a connection is open
    return server


def _wait_for(path: Path) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                return
        time.sleep(0.02)
    sys.exit("error: Redis does not start")
