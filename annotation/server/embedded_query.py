"""Filters and orders of Argilla's searches as SQL over its own tables (SQLite with its JSON functions).

Nothing here imports Argilla: scopes and filters are told by their attributes, so that this is tested without it.
Every value goes in as a parameter; names of questions and properties become JSON paths, which are parameters too.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

_RECORD_COLUMNS = {
    "id": "r.id",
    "external_id": "r.external_id",
    "status": "r.status",
    "inserted_at": "r.inserted_at",
    "updated_at": "r.updated_at",
}
_TIMES = ("r.inserted_at", "r.updated_at")
_QUESTION = "(SELECT q.id FROM questions q WHERE q.dataset_id = r.dataset_id AND q.name = ?)"
_SUGGESTION_COLUMNS = {"agent": "s.agent", "score": "s.score", "type": "s.type", "value": "s.value"}


class Refused(ValueError):
    """A search that the embedded engine does not answer; the message says which."""


class Sql:
    """A piece of SQL with its parameters."""

    def __init__(self, text: str, *parameters: Any) -> None:
        self.text, self.parameters = text, list(parameters)


def json_path(name: str, *rest: str) -> str:
    """The path of a key, whatever stands in it."""
    return "$" + "".join("." + json.dumps(part, ensure_ascii=False) for part in (name, *rest))


def hex_id(value: Any) -> str:
    """A UUID as Argilla's SQLite tables hold it."""
    return str(value).replace("-", "")


def where(filter: Any) -> Sql:
    """The condition of a filter, on records as `r`.

    Raises:
        Refused: a scope or filter of another kind.
    """
    if hasattr(filter, "filters"):
        parts = [where(part) for part in filter.filters]
        if not parts:
            return Sql("1")
        return Sql(" AND ".join(f"({part.text})" for part in parts), *(p for part in parts for p in part.parameters))
    scope = filter.scope
    if hasattr(scope, "metadata_property"):
        return _any_value("r.metadata", json_path(scope.metadata_property), filter)
    if hasattr(scope, "user"):
        return _of_responses(filter)
    if hasattr(scope, "question"):
        return _of_suggestions(filter)
    if scope.property in _RECORD_COLUMNS:
        return _of_record(filter)
    raise Refused(f"no filter on the record's {scope.property}")


def _of_record(filter: Any) -> Sql:
    column = _RECORD_COLUMNS[filter.scope.property]
    if column in _TIMES and not hasattr(filter, "values"):
        parts, parameters = [], []
        for sign, bound in ((">=", filter.ge), ("<=", filter.le)):
            if bound is not None:
                parts.append(f"{column} {sign} ?")
                parameters.append(_time(bound))
        return Sql(" AND ".join(parts) or "1", *parameters)
    if column == "r.id" and hasattr(filter, "values"):
        return Sql(f"r.id IN ({', '.join('?' * len(filter.values))})", *map(hex_id, filter.values))
    return _compared(column, filter)


def _time(bound: Any) -> str:
    """A moment as the tables hold it (UTC, microseconds); numbers are milliseconds since 1970, as in Elasticsearch."""
    if isinstance(bound, str):
        try:
            moment = datetime.fromisoformat(bound)
        except ValueError:
            raise Refused(f"{bound!r}: expected a time such as 2026-01-31T12:00:00") from None
    else:
        moment = datetime.fromtimestamp(bound / 1000, UTC)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _of_suggestions(filter: Any) -> Sql:
    column = _SUGGESTION_COLUMNS.get(filter.scope.property)
    if column is None:
        raise Refused(f"no filter on a suggestion's {filter.scope.property}")
    of_question = f"EXISTS (SELECT 1 FROM suggestions s WHERE s.record_id = r.id AND s.question_id = {_QUESTION} AND "
    if filter.scope.property in ("value", "score"):
        condition = _any_value(column, "$", filter)
    else:
        condition = _compared(column, filter)
    return Sql(f"{of_question}{condition.text})", filter.scope.question, *condition.parameters)


def _of_responses(filter: Any) -> Sql:
    scope = filter.scope
    by_user = Sql(" AND p.user_id = ?", hex_id(scope.user.id)) if scope.user is not None else Sql("")
    some = "EXISTS (SELECT 1 FROM responses p WHERE p.record_id = r.id"
    if scope.question:
        condition = _any_value('p."values"', json_path(scope.question, "value"), filter)
        return Sql(f"{some}{by_user.text} AND {condition.text})", *by_user.parameters, *condition.parameters)
    if scope.property != "status" or not hasattr(filter, "values"):
        raise Refused(f"no filter on a response's {scope.property}")
    values = [str(getattr(value, "value", value)) for value in filter.values]
    parts, parameters = [], []
    if "pending" in values:
        parts.append(f"NOT {some}{by_user.text})")
        parameters += by_user.parameters
    given = [value for value in values if value != "pending"]
    if given:
        marks = ", ".join("?" * len(given))
        parts.append(f"{some}{by_user.text} AND p.status IN ({marks}))")
        parameters += [*by_user.parameters, *given]
    return Sql(" OR ".join(parts) or "0", *parameters)


def _any_value(column: str, path: str, filter: Any) -> Sql:
    """Whether what lies at a JSON path, or any member of a list there, meets the filter.

    Members of lists that are objects (spans, rankings) count by their label or value.
    """
    condition = _compared("coalesce(x, '')", filter)
    values = (
        f"SELECT CASE WHEN j.type = 'object' THEN coalesce(json_extract(j.value, '$.label'), "
        f"json_extract(j.value, '$.value')) ELSE j.value END AS x FROM json_each({column}, ?) j"
    )
    # json_each of a JSON null is a row without a value; of no such path no row at all.
    return Sql(
        f"EXISTS (SELECT 1 FROM ({values}) WHERE x IS NOT NULL AND {condition.text})", path, *condition.parameters
    )


def _compared(expression: str, filter: Any) -> Sql:
    if hasattr(filter, "values"):
        texts = [str(getattr(value, "value", value)) for value in filter.values]
        if not texts:
            return Sql("0")
        return Sql(f"CAST({expression} AS TEXT) IN ({', '.join('?' * len(texts))})", *texts)
    parts, parameters = [], []
    for sign, bound in ((">=", filter.ge), ("<=", filter.le)):
        if bound is not None:
            parts.append(f"{expression} {sign} ?")
            parameters.append(_number(bound))
    return Sql(" AND ".join(parts) or "1", *parameters)


def _number(bound: Any) -> float | str:
    try:
        return float(bound)
    except ValueError:
        return str(bound)


def order_by(orders: Any) -> Sql:
    """The terms of an ORDER BY, on records as `r`; missing values come last.

    Raises:
        Refused: an order by something else.
    """
    parts, parameters = [], []
    for order in orders or []:
        expression = _sorted_by(order.scope)
        direction = "DESC" if str(getattr(order.order, "value", order.order)) == "desc" else "ASC"
        parts.append(f"({expression.text}) {direction} NULLS LAST")
        parameters += expression.parameters
    return Sql(", ".join(parts), *parameters)


def _sorted_by(scope: Any) -> Sql:
    if hasattr(scope, "metadata_property"):
        return Sql("json_extract(r.metadata, ?)", json_path(scope.metadata_property))
    if hasattr(scope, "user"):
        by_user = " AND p.user_id = ?" if scope.user is not None else ""
        parameters = [hex_id(scope.user.id)] if scope.user is not None else []
        responses = f"FROM responses p WHERE p.record_id = r.id{by_user}"
        if not scope.question:
            return Sql(f"SELECT min(p.status) {responses}", *parameters)
        # Ratings of several curators by their mean, as Elasticsearch does; labels, which it refuses, by the first.
        value = "CASE WHEN min(typeof(v)) IN ('integer', 'real') THEN avg(v) ELSE min(v) END"
        given = f'SELECT json_extract(p."values", ?) AS v {responses}'
        return Sql(f"SELECT {value} FROM ({given})", json_path(scope.question, "value"), *parameters)
    if hasattr(scope, "question"):
        column = _SUGGESTION_COLUMNS.get(scope.property)
        if column is None:
            raise Refused(f"no order by a suggestion's {scope.property}")
        value = f"json_extract({column}, '$')" if scope.property in ("value", "score") else column
        return Sql(
            f"SELECT {value} FROM suggestions s WHERE s.record_id = r.id AND s.question_id = {_QUESTION}",
            scope.question,
        )
    if scope.property in _RECORD_COLUMNS:
        return Sql(_RECORD_COLUMNS[scope.property])
    raise Refused(f"no order by the record's {scope.property}")


def text_query(query: str) -> str:
    """What a person typed, in FTS5's language: all words, "phrases", -without, begin*, this | that.

    Everything else is text: no character of the query can break the expression. Empty if no letter or digit is in it.

    Raises:
        Refused: only words that must not occur.
    """
    either: list[str] = []
    for alternative in _split_outside_quotes(query.replace("\0", " "), "|"):
        wanted: list[str] = []
        unwanted: list[str] = []
        for word in _words(alternative):
            negative = word.startswith("-") and not word.startswith("-)")  # "(-)-menthol" is a name
            plain = word.strip('"*').replace('"', " ").strip()
            if not any(character.isalnum() for character in plain):
                continue
            term = f'"{plain}"' + ("*" if word.endswith("*") else "")
            (unwanted if negative else wanted).append(term)
        if unwanted and not wanted:
            raise Refused(f"search for {alternative.strip()!r}: at least one word that must occur is needed")
        if wanted:
            either.append("(" + " AND ".join(wanted) + ")" + "".join(f" NOT {term}" for term in unwanted))
    return " OR ".join(f"({part})" for part in either)


def _split_outside_quotes(text: str, mark: str) -> list[str]:
    parts, quoted = [""], False
    for character in text:
        quoted ^= character == '"'
        if character == mark and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _words(text: str) -> list[str]:
    words, current, quoted = [], "", False
    for character in text:
        if character == '"':
            quoted = not quoted
            current += character
        elif character.isspace() and not quoted:
            words.append(current)
            current = ""
        else:
            current += character
    return [word for word in (*words, current) if word]
