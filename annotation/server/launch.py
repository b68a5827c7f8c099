"""Starts Argilla on one machine, in the server's own environment, for `abroad annotate serve`.

Everything lives in one private directory: argilla.db, search.sqlite, the secret that signs sessions, and the URL and
owner's API key for abroad's other commands. Only one server may use it at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import secrets
import signal
import socket
import string
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from scratch_folder import use_scratch_folder

OWNER, CREDENTIALS, SECRET, LOCK = "owner", "credentials.json", "secret", "lock"
_LETTERS = sorted(set(string.ascii_letters + string.digits) - set("0O1lI"))
_WRITE_WAIT_SECONDS = 60  # of a writer for another; bulk pushes hold the database for a second or two


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=6900)
    options = parser.parse_args()
    home: Path = options.home.resolve()
    os.umask(0o077)  # the database holds keys and hashes of passwords
    lock = _take(home)
    listener = _listen(options.host, options.port)
    url = _url(options.host, listener.getsockname()[1])
    use_scratch_folder()
    _configure(home)
    _prepare(home, url)
    threading.Thread(target=_announce, args=(url, home), daemon=True).start()
    _serve(listener)
    lock.close()
    print("stopped; everything is saved", flush=True)


def _fail(message: str, code: int = 1) -> None:
    print(f"error: {message}", file=sys.stderr, flush=True)
    sys.exit(code)


def _take(home: Path):
    """The home's lock, held until this process ends, however it ends."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / LOCK).open("a+")
    except OSError as error:
        _fail(f"{home}: cannot be the server's home: {error.strerror}", 2)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        _fail(f"{home}: another annotation server uses this home; stop that one, or choose another with --home", 2)
    return lock


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket, taken before anything slow: a port in use is told at once."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        _fail(f"{host}:{port}: {error.strerror}; choose another port with --port", 2)
    return listener


def _url(host: str, port: int) -> str:
    reached = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{reached}:{port}"


def _configure(home: Path) -> None:
    """Argilla's settings, which it reads from the environment when it is imported."""
    from local_redis import start_redis

    os.environ.update(
        ARGILLA_HOME_PATH=str(home),
        ARGILLA_DATABASE_URL=f"sqlite+aiosqlite:///{home / 'argilla.db'}?check_same_thread=False",
        ARGILLA_DATABASE_SQLITE_TIMEOUT=str(_WRITE_WAIT_SECONDS),
        ARGILLA_SEARCH_ENGINE="embedded",
        ARGILLA_AUTH_SECRET_KEY=_secret(home / SECRET),
        ARGILLA_REDIS_URL=start_redis(),
        ARGILLA_ENABLE_SHARE_YOUR_PROGRESS="false",
        ARGILLA_BASE_URL="/",
        HF_HUB_DISABLE_TELEMETRY="1",
    )


def _prepare(home: Path, url: str) -> None:
    import integrity
    from argilla_server.database import ALEMBIC_CONFIG_FILE
    from job_runner import watch_queues

    _migrate(ALEMBIC_CONFIG_FILE)
    integrity.settle_statuses()
    watch_queues(os.environ["ARGILLA_REDIS_URL"])
    password, odd = asyncio.run(_ensure_owner(home, url))
    if odd:
        print(f"warning: users with names that are no longer allowed, rename or delete them: {odd}", flush=True)
    if password is not None:
        print(f"first start: log in as {OWNER!r} with this password, shown once: {password}", flush=True)


def _migrate(config: str) -> None:
    import logging

    from alembic import command
    from alembic.config import Config

    logging.disable(logging.INFO)  # a line for each of its two dozen steps
    command.upgrade(Config(config), "head")
    logging.disable(logging.NOTSET)


def _serve(listener: socket.socket) -> None:
    """Answer until a signal; a second one does not wait for open requests."""
    import uvicorn

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # uvicorn sends it to us again once it has stopped
    config = uvicorn.Config("embedded_asgi:app", log_level="warning", timeout_graceful_shutdown=10)
    uvicorn.Server(config).run(sockets=[listener])


def _announce(url: str, home: Path) -> None:
    """Say where the server is once it really answers."""
    while True:
        try:
            with urllib.request.urlopen(f"{url}/api/v1/status", timeout=5) as answer:
                if answer.status == 200:
                    break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    print(f"Argilla: {url} (data in {home}; Ctrl-C stops it)", flush=True)


def _secret(path: Path) -> str:
    if not path.exists():
        _write_private(path, secrets.token_hex(32))
    return path.read_text()


def _write_private(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


async def _ensure_owner(home: Path, url: str) -> tuple[str | None, list[str]]:
    """(password of a new owner, None where there is one already; names of users that are not allowed).

    The owner's API key goes to a private file.
    """
    from argilla_server.contexts import accounts
    from argilla_server.database import AsyncSessionLocal, async_engine
    from argilla_server.enums import UserRole
    from argilla_server.models import User
    from user_names import is_allowed

    password = None
    async with AsyncSessionLocal() as db:
        owner = await User.get_by(db, username=OWNER)
        if owner is None:
            password = "".join(secrets.choice(_LETTERS) for _ in range(16))
            values = {
                "first_name": OWNER,
                "last_name": None,
                "username": OWNER,
                "password": password,
                "role": UserRole.owner,
            }
            owner = await accounts.create_user(db, values)
        _write_private(home / CREDENTIALS, json.dumps({"url": url, "api_key": owner.api_key}))
        odd = [user.username for user in await accounts.list_users(db) if not is_allowed(user.username)]
    await async_engine.dispose()  # its connections belong to this event loop, the server has its own
    return password, odd


if __name__ == "__main__":
    main()
