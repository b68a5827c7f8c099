"""What of the machine a process may use."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """How many cores this process may use: by its affinity, and by the quota of its container."""
    with contextlib.suppress(AttributeError, OSError):  # not on macOS and Windows
        count = len(os.sched_getaffinity(0))
        with contextlib.suppress(OSError, ValueError):
            quota, period = _QUOTA.read_text().split()
            count = min(count, max(1, int(quota) // int(period)))
        return count
    return os.cpu_count() or 1
