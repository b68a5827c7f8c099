"""Starts Argilla on one machine, in the server's own environment (`requirements.txt`), for `abroad annotate serve`.

Everything lives in one directory: argilla.db, search.sqlite, the secret that signs sessions, and the owner's API
key. Redis is the machine's if it has one, else fakeredis' TCP server in this process: Argilla only queues jobs in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import socket
import string
import subprocess
import sys
import threading
import time
from pathlib import Path

OWNER, CREDENTIALS, SECRET = "owner", "credentials.json", "secret"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=6900)
    options = parser.parse_args()
    home: Path = options.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        ARGILLA_HOME_PATH=str(home),
        ARGILLA_DATABASE_URL=f"sqlite+aiosqlite:///{home / 'argilla.db'}?check_same_thread=False",
        ARGILLA_SEARCH_ENGINE="embedded",
        ARGILLA_AUTH_SECRET_KEY=_secret(home / SECRET),
        ARGILLA_REDIS_URL=_redis(),
        HF_HUB_DISABLE_TELEMETRY="1",
        ARGILLA_ENABLE_SHARE_YOUR_PROGRESS="false",
    )
    from argilla_server.cli.database.migrate import migrate_db

    migrate_db("head")
    shown = asyncio.run(_ensure_owner(home, f"http://{options.host}:{options.port}"))
    if shown is not None:
        print(f"first start: user {OWNER!r}, password {shown} (shown once; note it now)", flush=True)
    print(f"Argilla: http://{options.host}:{options.port} (data in {home}; Ctrl-C stops it)", flush=True)
    import uvicorn

    uvicorn.run("embedded_asgi:app", host=options.host, port=options.port, log_level="warning")


def _secret(path: Path) -> str:
    if not path.exists():
        _write_private(path, secrets.token_hex(32))
    return path.read_text()


def _write_private(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    partial.replace(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _redis() -> str:
    """URL of a Redis of ours on a free port of 127.0.0.1."""
    port = _free_port()
    program = shutil.which("redis-server")
    if program:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        import atexit

        atexit.register(server.terminate)
    else:
        from fakeredis import TcpFakeServer

        fake = TcpFakeServer(("127.0.0.1", port), server_type="redis")
        threading.Thread(target=fake.serve_forever, daemon=True).start()
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return f"redis://127.0.0.1:{port}/0"
        time.sleep(0.05)
    sys.exit("error: Redis does not answer")


async def _ensure_owner(home: Path, url: str) -> str | None:
    """The password of a new owner; None where there is one already. The API key goes to a private file."""
    from argilla_server.contexts import accounts
    from argilla_server.database import AsyncSessionLocal
    from argilla_server.enums import UserRole
    from argilla_server.models import User

    password = None
    async with AsyncSessionLocal() as db:
        owner = await User.get_by(db, username=OWNER)
        if owner is None:
            letters = string.ascii_letters + string.digits
            password = "".join(secrets.choice(letters) for _ in range(16))
            values = {
                "first_name": OWNER,
                "last_name": None,
                "username": OWNER,
                "password": password,
                "role": UserRole.owner,
            }
            owner = await accounts.create_user(db, values)
        _write_private(home / CREDENTIALS, json.dumps({"url": url, "api_key": owner.api_key}))
    return password


if __name__ == "__main__":
    main()
