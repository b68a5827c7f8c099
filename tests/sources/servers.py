"""Local servers that speak what our clients speak: efetch of E-utilities, files with byte ranges, completions."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that hangs up is part of the tests
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def article_xml(pmid: str, title: str = "A title.", abstract: str | None = "An abstract.", doi: str = "") -> str:
    """One PubmedArticle; `title` and `abstract` may hold markup."""
    body = "" if abstract is None else f"<Abstract><AbstractText>{abstract}</AbstractText></Abstract>"
    ids = f'<ArticleIdList><ArticleId IdType="doi">{doi}</ArticleId></ArticleIdList>' if doi else ""
    return (
        f'<PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article>'
        f"<ArticleTitle>{title}</ArticleTitle>{body}</Article></MedlineCitation>"
        f"<PubmedData>{ids}</PubmedData></PubmedArticle>"
    )


def article_set(*articles: str) -> bytes:
    doctype = (
        '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2024//EN" '
        '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_240101.dtd">'
    )
    return f'<?xml version="1.0" ?>{doctype}<PubmedArticleSet>{"".join(articles)}</PubmedArticleSet>'.encode()


@dataclass
class Efetch:
    """A PubMed of our own.

    Attributes:
        records: PMID -> PubmedArticle XML.
        refused: PMIDs that make a request fail with 400.
        faults: what the next requests get instead of an answer: "drop", "half", "page", or a
            status, with seconds for Retry-After as ("429", "0").
        search_faults: the same for searches: "page", "backend", "everything" or a status.
        asked: the form of each request; `starts` when it came (monotonic seconds).
        dates: PMID -> (day of publication, day of entry); others are of 2020.
        most: hits of one search that are handed out.
        forgetful: whether the history is lost as soon as it is asked.
        short: hits that each of the next searches leaves out of its list.
    """

    records: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    faults: list[Any] = field(default_factory=list)
    search_faults: list[Any] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    dates: dict[str, tuple[date, date]] = field(default_factory=dict)
    most: int = 9_999
    forgetful: bool = False
    short: list[int] = field(default_factory=list)
    history: list[list[str]] = field(default_factory=list)
    url: str = ""

    @property
    def batches(self) -> list[list[str]]:
        return [form["id"].split(",") for form in self.asked if "id" in form]

    @property
    def searches(self) -> list[list[str]]:
        """The DOIs of each search."""
        return [re.findall(r'"([^"]*)"\[doi\]', form["term"]) for form in self.asked if "term" in form]

    @contextlib.contextmanager
    def serve(self) -> Iterator[Efetch]:
        efetch = self

        class Handler(_Handler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                efetch.starts.append(time.monotonic())
                efetch.asked.append(form)
                efetch.answer(self, form)

        with serving(Handler) as base:
            self.url = f"{base}/entrez/eutils"
            yield self

    def answer(self, handler: _Handler, form: dict[str, str]) -> None:
        if handler.path == "/entrez/eutils/esearch.fcgi" and form.get("db") == "pubmed":
            return self.search(handler, form)
        if handler.path != "/entrez/eutils/efetch.fcgi" or form.get("db") != "pubmed" or form.get("retmode") != "xml":
            return handler.answer(404)
        if "WebEnv" in form:
            start, size = int(form["retstart"]), int(form["retmax"])
            if self.forgetful or form["WebEnv"] != "MCID_1" or start >= self.most:
                return handler.answer(400, b"Unable to obtain query #1")
            ids = self.history[int(form["query_key"]) - 1][: self.most][start : start + size]
        else:
            ids = form["id"].split(",")
        fault = self.faults.pop(0) if self.faults else None
        body = article_set(*(self.records[pmid] for pmid in ids if pmid in self.records))
        if fault == "drop":
            return handler.hang_up()
        if fault == "half":
            return handler.answer(200, body[: len(body) // 2])
        if fault == "page":
            return handler.answer(200, b"<html><body>Service busy</body></html>")
        if fault is not None:
            status, after = fault if isinstance(fault, tuple) else (fault, None)
            return handler.answer(int(status), headers={"Retry-After": after} if after is not None else None)
        if self.refused & set(ids):
            return handler.answer(400, b"bad request")
        return handler.answer(200, body, {"Content-Type": "text/xml"})

    def search(self, handler: _Handler, form: dict[str, str]) -> None:
        """esearch for `"DOI"[doi] OR ...`, as JSON; its faults are those of `search_faults`."""
        fault = self.search_faults.pop(0) if self.search_faults else None
        if isinstance(fault, int):
            return handler.answer(fault, headers={"Retry-After": "0"})
        if fault == "page":
            return handler.answer(200, b"<html><body>Service busy</body></html>")
        if fault == "backend":
            return handler.answer(200, b'{"esearchresult": {"ERROR": "Search Backend failed"}}')
        if form.get("usehistory") == "y":
            return self.search_with_history(handler, form)
        wanted = [f'IdType="doi">{doi}<'.lower() for doi in self.searches[-1]]
        found = [pmid for pmid, xml in self.records.items() if any(doi in xml.lower() for doi in wanted)]
        count = 10_000 if fault == "everything" else len(found)
        result = {"count": str(count), "retmax": form["retmax"], "idlist": found[: int(form["retmax"])]}
        return handler.answer(200, json.dumps({"esearchresult": result}).encode())

    def search_with_history(self, handler: _Handler, form: dict[str, str]) -> None:
        """esearch for records that hold the words of the term, between the dates that it names."""
        term, any_day = form["term"], (date(2020, 1, 1), date(2020, 1, 2))
        entered = re.search(r' AND \("([\d/]+)"\[edat\] : "([\d/]+)"\[edat\]\)$', term)
        words = (term[: entered.start()].strip("()") if entered else term).lower()
        found = [pmid for pmid, xml in self.records.items() if words in xml.lower()]
        spans = [(0, form.get("mindate"), form.get("maxdate"))] if form.get("datetype") == "pdat" else []
        spans += [(1, entered[1], entered[2])] if entered else []
        for place, first, last in spans:
            low, high = (date(*map(int, day.split("/"))) for day in (first, last))
            found = [pmid for pmid in found if low <= self.dates.get(pmid, any_day)[place] <= high]
        self.history.append(found)
        given = found[: min(int(form["retmax"]), self.most)]
        given = given[: len(given) - self.short.pop(0)] if self.short else given
        result: dict[str, Any] = {"count": str(len(found)), "idlist": given}
        result |= {"webenv": "MCID_1", "querykey": str(len(self.history))}
        if not found:
            result["errorlist"] = {"phrasesnotfound": [words], "fieldsnotfound": []}
        handler.answer(200, json.dumps({"esearchresult": result}).encode())


@dataclass
class EuropePmcServer:
    """Europe PMC's REST service over hits of our own.

    Attributes:
        hits: as the service gives them with resultType=core.
        full_texts: PMCID -> JATS.
        page: hits of a page, however many are asked for.
        faults: statuses that the next requests get instead.
        ends: hits after which the next searches end, one figure a request.
        asked: path and parameters of each request.
    """

    hits: list[dict[str, Any]] = field(default_factory=list)
    full_texts: dict[str, bytes] = field(default_factory=dict)
    page: int = 2
    ends: list[int] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    @contextlib.contextmanager
    def serve(self) -> Iterator[EuropePmcServer]:
        server = self

        class Handler(_Handler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                form = {name: values[0] for name, values in parse_qs(query).items()}
                server.asked.append((path, form))
                server.answer(self, path, form)

        with serving(Handler) as base:
            self.url = f"{base}/rest"
            yield self

    def answer(self, handler: _Handler, path: str, form: dict[str, str]) -> None:
        if self.faults:
            return handler.answer(self.faults.pop(0), headers={"Retry-After": "0"})
        if path.endswith("/fullTextXML"):
            xml = self.full_texts.get(path.split("/")[-2])
            return handler.answer(200, xml) if xml is not None else handler.answer(404)
        if path != "/rest/search" or form.get("resultType") != "core" or form.get("format") != "json":
            return handler.answer(404)
        if form["query"].count("(") != form["query"].count(")"):
            return handler.answer(200, b'{"errCode": 400, "errMsg": "The query is not well formed"}')
        start = 0 if form["cursorMark"] == "*" else int(form["cursorMark"].removeprefix("mark"))
        end = self.ends.pop(0) if self.ends else len(self.hits)
        page = self.hits[start : min(start + self.page, end)]
        result: dict[str, Any] = {"version": "6.9", "hitCount": len(self.hits), "resultList": {"result": page}}
        if page:
            result["nextCursorMark"] = f"mark{start + len(page)}"
        return handler.answer(200, json.dumps(result).encode())


@dataclass
class FileServer:
    """Serves one file with byte ranges.

    Attributes:
        cut_after: bytes after which the next answers break off, one figure an answer.
        etag: of the content; None sends no validator.
        faults: statuses the next requests get instead of the file.
        ranges: the Range header of each request ("" without one).
        listing: what the record's API says of the file.
    """

    content: bytes
    cut_after: list[int] = field(default_factory=list)
    etag: str | None = '"v1"'
    ranged: bool = True
    faults: list[int] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    listing: bytes = b"{}"
    url: str = ""

    @property
    def md5(self) -> str:
        return hashlib.md5(self.content).hexdigest()

    @contextlib.contextmanager
    def serve(self) -> Iterator[FileServer]:
        files = self

        class Handler(_Handler):
            def do_GET(self) -> None:
                if self.path == "/api/record":
                    self.answer(200, files.listing)
                else:
                    files.answer(self)

        with serving(Handler) as base:
            self.url = f"{base}/table.csv.gz"
            yield self

    def answer(self, handler: _Handler) -> None:
        wanted = handler.headers.get("Range", "")
        self.ranges.append(wanted)
        if self.faults:
            return handler.answer(self.faults.pop(0))
        start = 0
        if wanted and self.ranged and handler.headers.get("If-Range", self.etag) == self.etag:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
        size = len(self.content)
        if start >= size:
            return handler.answer(416, headers={"Content-Range": f"bytes */{size}"})
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(size - start))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if self.etag:
            handler.send_header("ETag", self.etag)
        handler.end_headers()
        end = start + self.cut_after.pop(0) if self.cut_after else size
        handler.wfile.write(self.content[start:end])
        if end < size:
            handler.hang_up()
        return None


@dataclass
class Completions:
    """OpenAI's completions API over a function, with failures on demand.

    Attributes:
        complete: body of a request -> (text, finish reason).
        failures: what the next requests get instead: a status, "hang up", "truncated", "slow" or "empty".
        asked: bodies in order of arrival; keys: Authorization headers.
        most_at_once: requests that were under way together.
        echo_logprobs: whether the server gives log-probabilities of an echoed prompt: -len(token) of each
            token, which is a word with the space before it, after a token that begins the text.
        count_tokens: body of a request -> tokens of its prompt; None: always 7.
        refuse: body of a request -> (status, answer) by which it is refused; None where it is taken.
        max_model_len: as the list of models has it.
    """

    complete: Any
    echo_logprobs: bool = True
    refuse: Any = None
    max_model_len: int | None = None
    failures: list[Any] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    most_at_once: int = 0
    delay: float = 0.0
    url: str = ""
    count_tokens: Any = None

    @contextlib.contextmanager
    def serve(self) -> Iterator[Completions]:
        lock, state, now = threading.Lock(), self, [0]

        class Handler(_Handler):
            def do_GET(self) -> None:
                model = {"id": "m", "object": "model", "max_model_len": state.max_model_len}
                answer = {"object": "list", "data": [{"id": "other", "max_model_len": 1}, model]}
                self.answer(200 if state.max_model_len else 404, json.dumps(answer).encode())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    state.asked.append(body)
                    state.keys.append(self.headers.get("Authorization"))
                    failure = state.failures.pop(0) if state.failures else None
                    now[0] += 1
                    state.most_at_once = max(state.most_at_once, now[0])
                try:
                    time.sleep(state.delay)
                    self.respond(body, failure)
                finally:
                    with lock:
                        now[0] -= 1

            def respond(self, body: dict[str, Any], failure: Any) -> None:
                if failure == "hang up":
                    return self.hang_up()
                if failure == "slow":
                    time.sleep(1.0)
                if isinstance(failure, int):
                    error = {"error": {"message": f"no: {failure}"}}
                    return self.answer(failure, json.dumps(error).encode(), {"Retry-After": "0"})
                if state.refuse is not None and (refusal := state.refuse(body)) is not None:
                    return self.answer(refusal[0], json.dumps(refusal[1]).encode())
                text, reason = state.complete(body)
                logprobs: dict[str, Any] = {"token_logprobs": [-0.5, -0.25]}
                if body.get("echo") and state.echo_logprobs:
                    tokens = ["<s>", *re.findall(r"\s?\S+|\s+", body["prompt"]), " new"]
                    text = body["prompt"] + " new"
                    offsets = [sum(map(len, tokens[:place])) for place in range(len(tokens))]
                    values = [None, *(float(-len(token)) for token in tokens[1:])]
                    logprobs = {"tokens": tokens, "token_logprobs": values, "text_offset": offsets}
                choice = {
                    "index": 0,
                    "text": "" if failure == "empty" else text,
                    "finish_reason": reason,
                    "logprobs": logprobs,
                }
                if self.path.endswith("/chat/completions"):
                    choice["message"] = {"role": "assistant", "content": choice.pop("text")}
                    choice["logprobs"] = {"content": [{"token": "x", "logprob": -0.5}]}
                read = state.count_tokens(body) if state.count_tokens else 7
                usage = {"completion_tokens": len(text.split()), "prompt_tokens": read}
                answer = json.dumps({"choices": [choice], "usage": usage}).encode()
                self.answer(200, answer[: len(answer) // 2] if failure == "truncated" else answer)

        with serving(Handler) as base:
            self.url = f"{base}/v1"
            yield self
