"""What was asked and not answered: written down before it is sent, so that no run forgets what may have been charged.

A question has a line for each try, and another where the try cost nothing. Of a question that is answered one try is
that of the answer, whose cost the answer tells; the others brought nothing, and are reckoned at the most that they may
have cost. The disk may lag a second behind, as with the answers: a process that is killed loses nothing.
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from abroad.core.io import JsonlAppender, write_jsonl
from abroad.core.jsonl import read_jsonl
from abroad.core.tries import Tries, TryRefused
from abroad.synthesis.teaching.cost import Cost, Meter

_LAG = 1.0
_PROMPT, _ANSWER, _FREE, _LOST, _DIGEST = "prompt_tokens", "tokens", "free", "lost", "input_digest"


class Ledger:
    """The tries of one teacher's questions; use as a context manager.

    Args:
        path: of the file, beside the answers. In the end it has the tries that brought nothing; none of them, no file.
        meter: counts those too, and says whether another try may be made.
        wanted: key of a question -> digest of what is asked.
    Attributes:
        exhausted: whether the budget forbade another try.
    """

    def __init__(self, path: Path, meter: Meter, wanted: Mapping[str, str]) -> None:
        self._path, self._meter, self._wanted = path, meter, wanted
        self.exhausted = False
        self._lock = threading.Lock()
        self._reserved: dict[str, Cost] = {}  # of questions that may be sent and are not
        self._open: dict[str, list[Cost]] = defaultdict(list)  # of tries without an outcome
        self._kept: list[dict[str, Any]] = []  # lines for the end: lost tries, and questions of another run
        self._appender: JsonlAppender | None = None

    def __enter__(self) -> Ledger:
        self._appender = JsonlAppender(self._path, "key", _LAG).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._appender is not None
        with self._lock:  # a thread that is left behind may still tell of a try
            self._appender.__exit__()
            self._appender = None
        self.close_group()
        if self._kept:
            write_jsonl(self._path, self._kept)
        else:
            self._path.unlink(missing_ok=True)

    def take_up(self, answered: Collection[str]) -> tuple[int, Cost]:
        """Count the tries of earlier runs that brought nothing: how many, and what they may have cost."""
        lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in read_jsonl(self._path):
            if self._wanted.get(str(line["key"])) != line.get(_DIGEST) or line.get(_LOST):
                self._kept.append(line)
            elif not line.get(_FREE):
                lines[line["key"]].append(line)
            elif lines[line["key"]]:
                lines[line["key"]].pop()
        for key, tries in lines.items():
            self._kept += [{**line, _LOST: True} for line in tries[: len(tries) - (key in answered)]]
        lost = [line for line in self._kept if line.get(_LOST) and self._wanted.get(str(line["key"])) == line[_DIGEST]]
        cost = sum((Cost(int(line[_PROMPT]), int(line[_ANSWER])) for line in lost), Cost())
        self._meter.spent += cost
        return len(lost), cost

    def reserve(self, costs: Mapping[str, Cost]) -> None:
        """Begin a group of questions, at what each costs at most."""
        with self._lock:
            self._reserved = dict(costs)

    @contextlib.contextmanager
    def listening(self, tries: Tries, keys: Mapping[str, str]) -> Iterator[None]:
        """Hear of the tries of a pass.

        Args:
            tries: tells of them.
            keys: id of a question, as the engine knows it -> its key.
        """
        before = tries.sent, tries.free
        tries.sent = lambda question: self._note(self._sent, keys.get(question))
        tries.free = lambda question: self._note(self._free, keys.get(question))
        try:
            yield
        finally:
            tries.sent, tries.free = before

    def _note(self, how: Any, key: str | None) -> None:
        with self._lock:
            if key is not None and self._appender is not None:
                how(key)

    def _sent(self, key: str) -> None:
        cost = self._reserved.pop(key, None)
        if cost is None:  # not the first try
            cost = self._open[key][-1] if self._open[key] else Cost()
            if not self._meter.allows(sum(self._outstanding(), cost)):
                self.exhausted = True
                raise TryRefused("the budget does not bear another try")
        self._open[key].append(cost)
        self._write(key, {_PROMPT: cost.prompt_tokens, _ANSWER: cost.tokens})

    def _free(self, key: str) -> None:
        if self._open[key]:
            self._reserved[key] = self._open[key].pop()
            self._write(key, {_FREE: True})

    def _outstanding(self) -> list[Cost]:
        return [*self._reserved.values(), *(cost for costs in self._open.values() for cost in costs)]

    def _write(self, key: str, what: dict[str, Any]) -> None:
        assert self._appender is not None
        self._appender.append({"key": key, _DIGEST: self._wanted[key], **what})

    def answered(self, key: str) -> None:
        """Take one of the tries as that of an answer, which tells its cost itself."""
        with self._lock:
            if self._open[key]:
                self._open[key].pop()

    def close_group(self) -> tuple[int, Cost]:
        """Count the tries that brought nothing: how many, and what they may have cost."""
        with self._lock:
            lost = [(key, cost) for key, costs in self._open.items() for cost in costs]
            self._open.clear()
            self._reserved = {}
        for key, cost in lost:
            more = {_PROMPT: cost.prompt_tokens, _ANSWER: cost.tokens, _LOST: True}
            self._kept.append({"key": key, _DIGEST: self._wanted[key], **more})
        total = sum((cost for _, cost in lost), Cost())
        self._meter.spent += total
        return len(lost), total
