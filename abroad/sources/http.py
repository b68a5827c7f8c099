"""Retries of HTTP requests: what is worth another try, and how long to wait for it.

Worth one: dropped connections, time-outs, and the statuses 408, 429 and 5xx.
The wait doubles from `first_wait` up to two minutes with random jitter, and is
never shorter than what `Retry-After` asks for (RFC 9110, section 10.2.3).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import tenacity

from abroad import __version__
from abroad.errors import AbroadError

_LONGEST_WAIT = 120.0
_LONGEST_RETRY_AFTER = 600.0
USER_AGENT = f"abroad/{__version__}"


class TransientError(Exception):
    """An answer that another try may mend.

    Attributes:
        retry_after: seconds the server asks to wait; 0 if it says nothing.
    """

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def check_status(response: httpx.Response) -> None:
    """Raise a TransientError for a status worth another try."""
    if response.status_code in (408, 429) or response.status_code >= 500:
        raise TransientError(f"HTTP {response.status_code}", retry_after(response.headers.get("Retry-After")))


def retry_after(value: str | None) -> float:
    """Seconds that a Retry-After header asks for, as a number or a date; 0 if there is none."""
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return 0.0
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER) if seconds == seconds else 0.0


def with_retries(what: str, attempts: int, first_wait: float, say: Callable[[str], None]) -> tenacity.Retrying:
    """A caller that tries up to `attempts` times and tells `say` about each failure.

    Raises (when called): AbroadError with the last failure, after the last attempt.
    """
    backoff = tenacity.wait_exponential(multiplier=first_wait, max=_LONGEST_WAIT) + tenacity.wait_random(0, first_wait)

    def wait(state: tenacity.RetryCallState) -> float:
        asked = getattr(state.outcome.exception() if state.outcome else None, "retry_after", 0.0)
        return max(asked, backoff(state))

    def tell(state: tenacity.RetryCallState) -> None:
        seconds = state.next_action.sleep if state.next_action else 0.0
        say(f"{what}: {_reason(state)}; attempt {state.attempt_number} of {attempts}, next in {seconds:.1f} s")

    def give_up(state: tenacity.RetryCallState) -> Any:
        raise AbroadError(f"{what}: {_reason(state)} after {attempts} attempts; run the same command again to go on")

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((TransientError, httpx.TransportError, httpx.DecodingError)),
        stop=tenacity.stop_after_attempt(attempts),
        wait=wait,
        before_sleep=tell,
        retry_error_callback=give_up,
    )


def _reason(state: tenacity.RetryCallState) -> str:
    error = state.outcome.exception() if state.outcome else None
    return str(error) or type(error).__name__
