"""An annotation server of `abroad annotate serve`, really started, for tests and benchmarks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

START_SECONDS = 90


class RunningServer:
    """Attributes: url; home: its data; api_key and password: of the owner; output: what it printed so far."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home, self.options = home, options
        self.url = self.api_key = ""
        self.password: str | None = None
        self.process: subprocess.Popen | None = None
        self._log = home.parent / f"{home.name}.log"

    @property
    def output(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def launch(self, environment: dict[str, str] | None = None) -> None:
        """Start the process; do not wait."""
        command = [sys.executable, "-m", "abroad", "annotate", "serve", "--home", str(self.home), *self.options]
        settings = {name: value for name, value in os.environ.items() if not name.startswith("ARGILLA_")}
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=settings | (environment or {})
            )

    def start(self, environment: dict[str, str] | None = None) -> RunningServer:
        """Start it and wait until it says that it answers."""
        from annotation.home import local_credentials

        self.launch(environment)
        end = time.monotonic() + START_SECONDS
        while not (ready := re.search(r"^Argilla: (\S+)", self.output, re.MULTILINE)):
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"the annotation server does not start:\n{self.output}")
            time.sleep(0.05)
        self.url = ready[1]
        shown = re.search(r"shown once: (\S+)", self.output)
        self.password = shown[1] if shown else None
        self.api_key = local_credentials(self.home).api_key
        return self

    def connect(self):
        from annotation.argilla.connection import connect

        return connect(self.url, self.api_key)

    def curator(self, name: str, workspace: str):
        """A client of a new annotator's in a workspace, which is made."""
        from annotation.argilla.connection import connect
        from annotation.argilla.users import add_curator

        owner = self.connect()
        add_curator(owner, name, workspace=workspace)
        users = owner.http_client.get("/api/v1/users").json()["items"]
        return connect(self.url, next(user["api_key"] for user in users if user["username"] == name))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def kill(self) -> None:
        """kill -9, as a power cut."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
