"""Answers of curators -> decisions and documents: one file a curator, one merged, and the conflicts.

    decisions.jsonl     every answer, as `annotation.decisions.records` has it: drafts, discarded and flagged lines too
    curators/NAME.jsonl the documents as each curator left them
    curated.jsonl       merged documents
    conflicts.jsonl     documents whose curators differ with no majority
    predicted.jsonl     what the curators were shown, as predictions

Answers come from an Argilla server, or from the JSON that the offline page saves; both are read alike.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import BUILT_IN, Field
from abroad.core.helpers import helper
from abroad.core.ids import read_id
from abroad.core.io import read_records, write_documents, write_json, write_jsonl
from abroad.core.marks import WRITTEN
from abroad.core.schema import Document, Prediction
from abroad.core.settings import check
from annotation.argilla.connection import explained
from annotation.argilla.push import OVERLAP, find_dataset
from annotation.argilla.stored import stored_records
from annotation.argilla.task import COMMENT, RELATIONS, SPANS, document_of, prediction_of
from annotation.decisions.answers import Answer, read_answer
from annotation.decisions.merge import Merged, Typing, curated_document, merge
from annotation.decisions.records import ADJUDICATION, DRAFT, SUBMITTED, Decision, Mention, counted, write_decisions
from annotation.words import known_types

if TYPE_CHECKING:
    from argilla import Argilla, Dataset

CURATORS = "curators"
_LIST = "curators.json"  # helper of the output: names of the files below CURATORS
_LONGEST_NAME = 180  # bytes of a file name without the hash and the ending; file systems take 255


@dataclass
class Pulled:
    """What curators have answered.

    Attributes:
        documents: all that were shown.
        predictions: what was suggested for them.
        decisions: every answer.
        of: the field of all of them; None for natural products.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    predictions: dict[str, Prediction] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    of: Field | None = None

    @property
    def typing(self) -> Typing | None:
        """Which types names have, of another field than natural products."""
        if self.of is None:
            return None
        return Typing(self.of, {id: known_types((), p.relations) for id, p in self.predictions.items()})


@dataclass(frozen=True)
class PullReport:
    """Counts: answers by status, documents with a submitted answer, conflicts, and lines to look at."""

    documents: int
    submitted: int
    drafts: int
    discarded: int
    curators: int
    conflicts: int
    flagged: int


def pull(client: Argilla, dataset: str, workspace: str, context: Context, of: Field | None = None) -> Pulled:
    """Everything that curators answered, in the dataset, its overlap and its adjudication.

    Args:
        of: the field that was pushed; None for natural products.
    Raises:
        InputError: no such dataset, or it is of another field.
        AbroadError: the server is away.
    """
    pulled = Pulled(of=None if of is None or of.is_built_in else of)
    names = (dataset, f"{dataset}-{OVERLAP}", f"{dataset}-{ADJUDICATION}")
    with explained(client):
        found = [place for name in names if (place := find_dataset(client, name, workspace)) is not None]
        if not found:
            raise InputError(f"no dataset {dataset!r} in the workspace {workspace!r}: push to it first")
        users = usernames(client, workspace)
        for place in found:
            _read_dataset(client, place, users, pulled, context)
    return pulled


def usernames(client: Argilla, workspace: str) -> dict[str, str]:
    """Id -> name of every user, or, for an admin, who may not list all of them, of those of the workspace.

    Run inside `explained`. Who has left the workspace is then known by their id alone.
    """
    if client.me.role == "owner":
        return {str(user.id): user.username for user in client.users}
    place = next(place for place in client.workspaces if place.name == workspace)
    return {str(user.id): user.username for user in (client.me, *place.users)}


def _read_dataset(client: Argilla, place: Dataset, users: dict[str, str], pulled: Pulled, context: Context) -> None:
    for record in stored_records(client, place):
        _check_field(record.metadata.get("field"), pulled.of, f"{place.name}: {record.id}")
        try:
            document, prediction = document_of(record), prediction_of(record)
        except (KeyError, TypeError, ValueError, AttributeError, InputError):
            context.rejects.add(f"{place.name}: {record.id}", "not a record that abroad pushed")
            continue
        pulled.documents.setdefault(document.id, document)
        if prediction is not None:
            pulled.predictions.setdefault(document.id, prediction)
        batch = str(record.metadata.get("batch", ""))
        for answer in record.answers:
            curator = users.get(answer.user, answer.user)
            values = {**answer.values, "status": answer.status}
            pulled.decisions.append(
                _decision(document, curator, values, (batch, answer.updated_at, f"argilla:{place.name}"), pulled.of)
            )


def _check_field(name: Any, of: Field | None, where: str) -> None:
    if name != (None if of is None else of.name):
        expected = f"--field with the file of {name}" if name else "natural products, and no --field"
        raise InputError(f"{where}: of the field {name or 'natural_products'}; expected {expected}")


def _decision(
    document: Document, curator: str, values: dict[str, Any], when: tuple[str, str, str], of: Field | None
) -> Decision:
    """The decision that values are.

    Args:
        when: the batch, the time of the last change, and the source.
        of: the field.
    """
    batch, updated, source = when
    answer: Answer = read_answer(str(values.get(RELATIONS) or ""), document, of)
    return Decision(
        document=document.id,
        curator=curator,
        status=str(values.get("status") or DRAFT),
        relations=answer.relations,
        mentions=_mentions(values.get(SPANS), document),
        flagged=answer.flagged,
        batch=batch,
        updated_at=updated,
        source=source,
        comment=str(values.get(COMMENT) or ""),
        extra={"answer": str(values.get(RELATIONS) or "")},
    )


def _mentions(spans: Any, document: Document) -> tuple[Mention, ...]:
    mentions = []
    for span in spans or []:
        start, end, role = int(span["start"]), int(span["end"]), str(span.get("label") or span.get("role"))
        if 0 <= start < end <= len(document.text):
            mentions.append(Mention(start, end, role))
    return tuple(sorted(mentions, key=lambda mention: (mention.start, mention.end, mention.role)))


def read_offline(path: Path, context: Context) -> Pulled:
    """The answers in a file that the offline page saved: {"documents": [...], "answers": [...]}.

    An answer has `document`, `curator`, `status`, `relations` (the text, a relation a line), optionally `spans`,
    `batch`, `updated_at` and `comment`. The file of another field than natural products has it as `field`.

    Raises:
        InputError: not such a file.
    """
    value: dict[str, Any] = {}
    for _, key, record in read_records(path):
        value |= {key: record} if key is not None else record if isinstance(record, dict) else {}
    if not isinstance(value.get("documents"), list) or not isinstance(value.get("answers"), list):
        raise InputError(f"{path}: expected the JSON that the offline page saves ('documents' and 'answers')")
    pulled = Pulled(of=field_in(value.get("field"), path))
    for number, record in enumerate(value["documents"], 1):
        try:
            document = Document.from_dict(record)
            pulled.documents[document.id] = document
            prediction = document.extra.pop("prediction", None)
            if prediction is not None:
                pulled.predictions[document.id] = Prediction.from_dict(prediction)
        except InputError as error:
            context.rejects.add(f"{path}: document {number}", str(error))
    for number, record in enumerate(value["answers"], 1):
        where = f"{path}: answer {number}"
        try:
            document = pulled.documents[read_id(record["document"], "'document'")]
            batch, updated = str(record.get("batch") or ""), str(record.get("updated_at") or "")
            when = (batch, updated, f"html:{path.name}")
            decision = _decision(document, read_id(record["curator"], "'curator'"), record, when, pulled.of)
            pulled.decisions.append(Decision.from_dict(decision.to_dict()))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            context.rejects.add(where, f"expected document, curator, status and relations: {error!r}")
        except InputError as error:
            context.rejects.add(where, str(error))
    return pulled


def field_in(value: Any, path: Path) -> Field | None:
    """The field that a saved file holds; None for natural products.

    Raises:
        InputError: it holds something else.
    """
    return None if value is None else check(Field, value, path)


def together(parts: Sequence[Pulled]) -> Pulled:
    """Several pulls as one; of two answers of a curator to a document in a batch, the newer counts.

    Raises:
        InputError: they are of several fields.
    """
    fields = {part.of.name if part.of else BUILT_IN: part.of for part in parts}
    if len(fields) > 1:
        raise InputError(f"answers of several fields ({', '.join(fields)}); expected those of one")
    result = Pulled(of=next(iter(fields.values()), None))
    latest: dict[tuple[str, str, str], Decision] = {}
    for part in parts:
        for id, document in part.documents.items():
            result.documents.setdefault(id, document)
        for id, prediction in part.predictions.items():
            result.predictions.setdefault(id, prediction)
        for decision in part.decisions:
            key = (decision.document, decision.curator, decision.batch)
            if key not in latest or latest[key].updated_at <= decision.updated_at:
                latest[key] = decision
    result.decisions = list(latest.values())
    return result


def write_pulled(pulled: Pulled, out: Path, drafts: bool = False) -> tuple[Merged, PullReport]:
    """Write the files of a pull; those of an earlier one are replaced.

    Args:
        drafts: count drafts as if they were submitted.
    """
    decisions = pulled.decisions
    if drafts:
        decisions = [replace(d, status=SUBMITTED) if d.status == DRAFT else d for d in decisions]
    merged = merge(decisions, pulled.documents.values(), pulled.typing)
    write_decisions(out / "decisions.jsonl", pulled.decisions)
    write_documents(out / "curated.jsonl", merged.documents)
    write_jsonl(out / "conflicts.jsonl", (conflict.to_dict() for conflict in merged.conflicts))
    write_jsonl(out / "predicted.jsonl", (prediction.to_dict() for prediction in pulled.predictions.values()))
    own = counted(decisions)
    curators = sorted({decision.curator for decision in own})
    files = file_names(curators)
    for curator in curators:
        answers = [_of_curator(d, pulled) for d in {d.document: d for d in own if d.curator == curator}.values()]
        write_documents(out / CURATORS / files[curator], answers)
    _forget_former(out, set(files.values()))
    return merged, PullReport(
        documents=len(merged.documents),
        submitted=len(counted(pulled.decisions)),
        drafts=sum(decision.status == DRAFT for decision in pulled.decisions),
        discarded=sum(decision.status == "discarded" for decision in pulled.decisions),
        curators=len(curators),
        conflicts=len(merged.conflicts),
        flagged=sum(len(decision.flagged) for decision in own),
    )


def _of_curator(decision: Decision, pulled: Pulled) -> Document:
    document, typing = pulled.documents[decision.document], pulled.typing
    curation = {"status": decision.status, "curators": [decision.curator], "batch": decision.batch}
    return curated_document(document, decision.relations, curation, typing and typing.beside(document, [decision]))


def file_names(curators: Iterable[str]) -> dict[str, str]:
    """Curator -> a file name of their own, also where letters of both cases are one to the file system.

    A name that had to be changed, or that is another's but for its case or its length, ends in a hash of the curator's.
    """
    names = {curator: _safe(curator) for curator in curators}
    count = Counter(name.casefold() for name in names.values())
    return {
        curator: f"{name if name == curator and count[name.casefold()] == 1 else f'{name}-{_hash(curator)}'}.jsonl"
        for curator, name in names.items()
    }


def _safe(curator: str) -> str:
    """A name that stays inside its directory, of bytes that every file system takes."""
    name = re.sub(r"[^\w.@-]", "_", unicodedata.normalize("NFC", curator)).lstrip(".-") or "_"
    return name.encode()[:_LONGEST_NAME].decode(errors="ignore")


def _hash(curator: str) -> str:
    return hashlib.sha256(curator.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _forget_former(out: Path, files: set[str]) -> None:
    """Remove the files of curators whose answers are no longer there; those that no pull wrote stay."""
    known = helper(out, _LIST)
    for name in _names_in(known) or _names_in(helper(out, WRITTEN)):
        if name not in files and Path(name).name == name:
            (out / CURATORS / name).unlink(missing_ok=True)
    write_json(known, sorted(files))


def _names_in(path: Path) -> list[str]:
    """Names of curators' files in our list, or in the list that the gate of outputs keeps of all files."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if isinstance(value, list):
        return [name for name in value if isinstance(name, str)]
    found = value.get("files") if isinstance(value, dict) else None
    prefix = f"{CURATORS}/"
    return [name.removeprefix(prefix) for name in found or () if name.startswith(prefix)]
