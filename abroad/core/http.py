"""Retries of HTTP requests: what is worth another try, and how long to wait for it.

Worth one: dropped connections, time-outs, and the statuses 408, 429 and 5xx.
The wait doubles from `first_wait` up to two minutes with random jitter, and is
never shorter than what `Retry-After` asks for (RFC 9110, section 10.2.3). A
server that cannot be reached, and never was in this process, gets one more try
and no patience: there is no network, or no such server. One that keeps a request
waiting is given up at a deadline for all its attempts together.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import httpx
import tenacity
from pydantic import Field

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.core.settings import Count, NotNegative, Positive, Settings
from abroad.core.version import version

_LONGEST_WAIT = 120.0
_LONGEST_RETRY_AFTER = 600.0
_TRIES_OUT_OF_REACH = 2
MAX_ANSWER = 256 << 20
"""Bytes, unpacked: ten thousand PubMed records are about as much."""
DEADLINE = 120.0
"""Seconds for all attempts of a request together that have no answer in time."""
_SLOWEST = 1_000.0  # bytes a second
_CONNECTING = 5.0
"""Seconds until a connection stands; only where there is no way to the server does it take longer."""
_reached: set[bytes] = set()  # hosts with their ports that have answered
_OF_TRANSFER = ("content-encoding", "content-length", "transfer-encoding")
T = TypeVar("T")
USER_AGENT = f"abroad/{version()}"


class NoAnswer(AbroadError):
    """A request that was given up.

    Attributes:
        cause: what came of the last attempt.
    """

    def __init__(self, message: str, cause: BaseException | None = None) -> None:
        super().__init__(message)
        self.cause = cause

    @property
    def unreachable(self) -> bool:
        """Whether the server was not there at all, so that another question would not be answered either."""
        return isinstance(self.cause, httpx.ConnectError | httpx.ConnectTimeout)

    @property
    def unreadable(self) -> bool:
        """Whether the server did answer, and nothing could be made of it."""
        return isinstance(self.cause, Unreadable)


class NotThere(AbroadError):
    """404, and not in the words by which the server says that it has no such thing: perhaps another server."""


class TransientError(Exception):
    """An answer that another try may mend.

    Attributes:
        retry_after: seconds the server asks to wait; 0 if it says nothing.
    """

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooSlow(TransientError):
    """An answer that was not there in time."""


class Unreadable(TransientError):
    """An answer that is not what was asked for: cut off, a page of HTML, JSON of another shape."""


def open_client(timeout: float, **options: Any) -> httpx.Client:
    """A client as all of ours are.

    Args:
        timeout: seconds without a byte after which a request has failed.
    """
    options["headers"] = {"User-Agent": USER_AGENT, **options.get("headers", {})}
    return httpx.Client(timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECTING)), **options)


@contextlib.contextmanager
def answering(client: httpx.Client, method: str, url: str, **options: Any) -> Iterator[httpx.Response]:
    """The answer to a request, its head read and its body not yet.

    Raises:
        TooSlow: the head is not there in the time that a server has for its first byte: it comes in drips, each
            of which httpx gives that time.
    """
    ready: queue.SimpleQueue[httpx.Response | Exception] = queue.SimpleQueue()

    def send() -> None:
        try:
            ready.put(client.send(client.build_request(method, url, **options), stream=True))
        except Exception as error:
            ready.put(error)

    # A thread, since nothing else ends a read that gets a byte now and then; closing the client ends it.
    threading.Thread(target=send, daemon=True).start()
    allowed = (client.timeout.read or 60.0) + (client.timeout.connect or 0.0)
    try:
        answer = ready.get(timeout=allowed)
    except queue.Empty:
        raise TooSlow(f"the answer comes too slowly (not even its head in {allowed:.0f} s)") from None
    if isinstance(answer, Exception):
        raise answer
    _reached.add(answer.request.url.netloc)
    with contextlib.closing(answer):
        yield answer


def check_pace(client: httpx.Client, start: float, size: int) -> None:
    """Raise TooSlow for an answer that comes more slowly than any answer may.

    Args:
        start: when it began (monotonic seconds).
        size: bytes that came.
    """
    allowed = client.timeout.read or 60.0
    if time.monotonic() - start > allowed + size / _SLOWEST:
        raise TooSlow(f"the answer comes too slowly ({size} bytes in {allowed:.0f} s)")


def request(client: httpx.Client, method: str, url: str, **options: Any) -> httpx.Response:
    """One request, its answer read within bounds of size and time.

    Raises:
        TooSlow: the answer comes more slowly than `_SLOWEST`, beyond the time that any answer has.
        AbroadError: it has more than `MAX_ANSWER` bytes, unpacked.
    """
    start = time.monotonic()
    with answering(client, method, url, **options) as response:
        body = bytearray()
        for block in response.iter_bytes():
            body += block
            if len(body) > MAX_ANSWER:
                raise AbroadError(f"{url}: an answer of more than {MAX_ANSWER >> 20} MB; is this the right server?")
            check_pace(client, start, len(body))
    headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _OF_TRANSFER]
    return httpx.Response(response.status_code, headers=headers, content=bytes(body), request=response.request)


def json_of(response: httpx.Response) -> Any:
    """The JSON value of an answer.

    Raises:
        Unreadable: it holds none.
    """
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"unreadable answer ({type(error).__name__})") from None


def part_of(value: Any, *keys: str) -> Any:
    """What stands under the keys of nested objects; None where one of them is no object or lacks its key."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def objects_of(value: Any, *keys: str) -> list[dict[str, Any]]:
    """The objects in a list under the keys; other things in it are left out."""
    found = part_of(value, *keys)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def int_of(value: Any) -> int | None:
    """A whole number, also as a float or as digits; None for anything else."""
    try:
        return int(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


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


def with_retries(
    what: str, attempts: int, first_wait: float, context: Context, deadline: float = DEADLINE
) -> tenacity.Retrying:
    """A caller that tries up to `attempts` times and says each failure.

    Args:
        deadline: seconds that attempts without an answer in time may take, all together; a first one is always made.

    Raises (when called): NoAnswer with the last failure, after the last attempt or at the deadline.
    """
    waiting = _Waiting(deadline)
    backoff = tenacity.wait_exponential(multiplier=first_wait, max=_LONGEST_WAIT) + tenacity.wait_random(0, first_wait)

    def wait(state: tenacity.RetryCallState) -> float:
        asked = getattr(state.outcome.exception() if state.outcome else None, "retry_after", 0.0)
        return max(asked, backoff(state))

    def tell(state: tenacity.RetryCallState) -> None:
        seconds = state.next_action.sleep if state.next_action else 0.0
        tries = tries_after(state.outcome.exception() if state.outcome else None)
        context.say(f"{what}: {_reason(state)}; attempt {state.attempt_number} of {tries}, next in {seconds:.1f} s")

    def tries_after(cause: BaseException | None) -> int:
        return min(_TRIES_OUT_OF_REACH, attempts) if _is_out_of_reach(cause) else attempts

    def give_up(state: tenacity.RetryCallState) -> Any:
        cause = state.outcome.exception() if state.outcome else None
        if _is_out_of_reach(cause):
            raise NoAnswer(f"{what}: {_reason(state)}; is there a network, and is the address right?", cause)
        raise NoAnswer(f"{what}: {_reason(state)} after {_tries(state)}; run the same command again to go on", cause)

    def is_enough(state: tenacity.RetryCallState) -> bool:
        cause = state.outcome.exception() if state.outcome else None
        return state.attempt_number >= tries_after(cause) or waiting.is_over(state)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((TransientError, httpx.TransportError, httpx.DecodingError)),
        before=waiting.begin,
        after=waiting.end,
        stop=is_enough,
        wait=wait,
        before_sleep=tell,
        retry_error_callback=give_up,
    )


class _Waiting:
    """How long the attempts of each call took that had no answer in time.

    What a server asks to wait for, an error that it gives soon, and a file that comes and is cut off do not count.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._begun: WeakKeyDictionary[tenacity.RetryCallState, float] = WeakKeyDictionary()
        self._spent: WeakKeyDictionary[tenacity.RetryCallState, float] = WeakKeyDictionary()

    def begin(self, state: tenacity.RetryCallState) -> None:
        self._begun[state] = time.monotonic()

    def end(self, state: tenacity.RetryCallState) -> None:
        cause = state.outcome.exception() if state.outcome else None
        if isinstance(cause, TooSlow | httpx.TimeoutException):
            self._spent[state] = self._spent.get(state, 0.0) + time.monotonic() - self._begun[state]

    def is_over(self, state: tenacity.RetryCallState) -> bool:
        return self._spent.get(state, 0.0) >= self._deadline


def _tries(state: tenacity.RetryCallState) -> str:
    return "1 attempt" if state.attempt_number == 1 else f"{state.attempt_number} attempts"


def _is_out_of_reach(error: BaseException | None) -> bool:
    """Whether there was no way to a server that has not answered before."""
    if not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return False
    return error.request.url.netloc not in _reached


def _reason(state: tenacity.RetryCallState) -> str:
    error = state.outcome.exception() if state.outcome else None
    return str(error) or type(error).__name__


class RateLimiter:
    """Keeps the starts of requests at least 1/rate seconds apart.

    Args:
        rate: requests a second.
        clock: for tests.
        sleep: for tests.
    """

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # Servers count arrivals: 5% more room than the rule leaves some for jitter on the way.
        self.interval = 1.05 / rate
        self._clock, self._sleep = clock, sleep
        self._next = clock()

    def wait(self) -> None:
        """Return when the next request may start."""
        pause = self._next - self._clock()
        if pause > 0:
            self._sleep(pause)
        self._next = max(self._next, self._clock()) + self.interval


class HttpSettings(Settings):
    """How a server is asked."""

    base_url: str = Field(description="Address of the server.")
    rate: Positive = Field(description="Maximum requests in a second.")
    attempts: Count = Field(6, description="Tries of one request.")
    first_wait: NotNegative = Field(1.0, description="Seconds before the second try; later waits double.")
    timeout: Positive = Field(60.0, description="Seconds without a byte after which a request has failed.")
    deadline: Positive = Field(DEADLINE, description="Seconds for the tries of a request that get no answer in time.")


class JsonClient:
    """Asks a server that answers in JSON, at the pace it allows; use as a context manager.

    Args:
        name: of the server, for messages.
    """

    def __init__(self, name: str, settings: HttpSettings, context: Context | None = None) -> None:
        self._name, self._settings, self._context = name, settings, context or Context()
        self._limiter = RateLimiter(settings.rate)
        self._http = open_client(settings.timeout)

    def __enter__(self) -> JsonClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(
        self,
        path: str,
        read: Callable[[int, Any], T],
        params: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
    ) -> T:
        """What `read` makes of the answer to a GET, or to a POST of `form`.

        Args:
            read: takes the status (200 or 404) and the JSON of an answer, and raises KeyError, TypeError, ValueError or
                AttributeError where it is none of the server's own. So a 404 of a proxy or of a wrong address, or a
                page of a login, is never taken for "no such thing".
        Raises:
            AbroadError: no answer after all attempts, a request that the server refuses, or an answer that is not its.
        """
        asked = self._settings
        retries = with_retries(self._name, asked.attempts, asked.first_wait, self._context, asked.deadline)
        return cast(T, retries(self._once, path, read, params, form))

    def _once(
        self, path: str, read: Callable[[int, Any], T], params: dict[str, str] | None, form: dict[str, str] | None
    ) -> T:
        self._limiter.wait()
        url = f"{self._settings.base_url.rstrip('/')}/{path}"
        response = request(self._http, "POST" if form else "GET", url, params=params, data=form)
        check_status(response)
        status = response.status_code
        if status not in (200, 404):
            raise AbroadError(f"{self._name}: HTTP {status} from {url}")
        try:
            return read(status, json_of(response))
        except (KeyError, TypeError, ValueError, AttributeError, Unreadable) as error:
            if status == 404:
                raise NotThere(
                    f"{self._name}: HTTP 404 from {url}, and not in the words of {self._name}; check the address"
                ) from None
            if isinstance(error, Unreadable):
                raise
            raise Unreadable(f"unreadable answer ({type(error).__name__}: {str(error)[:100]})") from None
