"""The server of the pages: FastAPI and jinja2, on 127.0.0.1 only, without a script, a build step or a network.

Datasette was looked at too: it shows tables of SQLite, and a page of a pair with its sentences, and a button that
writes to another service, would have been plugins and templates of its own around that; DuckDB it does not read.

Every page is escaped by jinja2 and forbids all scripts (Content-Security-Policy). A request must name this machine
(so that no page elsewhere reaches it by a name that leads here), and one that changes something must carry the token
that this server's own pages have.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Protocol
from urllib.parse import parse_qs, quote

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as HttpError
from starlette.middleware.trustedhost import TrustedHostMiddleware

from abroad.core.errors import AbroadError
from abroad.core.field import Field, built_in_field
from abroad.core.field_colours import colours_of
from abroad.core.pages import render
from abroad.core.schema import Document, Prediction
from abroad.knowledge.browse import views
from abroad.knowledge.curation import Said, documents_of
from abroad.knowledge.kinds import BaseKind, kind_of, several
from abroad.knowledge.query import Pair, PairFilter, Status, find_pairs, pair_of, statements
from abroad.knowledge.stats import measure
from abroad.knowledge.store import Busy, Store, readable
from abroad.text.characters import normalise_upstream

HOSTS = ["127.0.0.1", "localhost"]
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Number = Annotated[int, Query(ge=1, le=10_000)]
Text = Annotated[str, Query(max_length=2_000)]
_STATUSES = ("new", "known", "disputed", "not linked")
_MAX_BODY = 10_000
_FRONT = 25


class Desk(Protocol):
    """Where pairs are sent to be curated."""

    def send(self, documents: Sequence[Document], predictions: Sequence[Prediction], field: Field) -> str:
        """Show documents to curators; gives a sentence that says where."""
        ...

    def answers(self, ids: Sequence[str], field: Field) -> list[tuple[Said, Sequence[tuple[str, ...]]]]:
        """What curators have said of documents since, each with the relations that stand."""
        ...

    def page(self, documents: Sequence[Document], predictions: Sequence[Prediction], field: Field) -> str:
        """An HTML page in which documents are curated without a server."""
        ...


def make_app(database: Path, desk: Desk) -> FastAPI:
    """The application that shows a database.

    Args:
        database: opened for each request, so that a build may write it between two of them.
        desk: where pairs are sent.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)

    @app.middleware("http")
    async def with_headers(request: Request, call_next: Callable[[Request], Any]) -> Any:
        response = await call_next(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def failed(code: int, message: str) -> HTMLResponse:
        return HTMLResponse(_page("message.html.j2", database, None, title="Not possible", message=message), code)

    @app.exception_handler(AbroadError)
    def on_error(request: Request, error: AbroadError) -> HTMLResponse:
        busy = "the database is being written at this moment: reload the page when that is done"
        return failed(503 if isinstance(error, Busy) else 500, busy if isinstance(error, Busy) else str(error))

    @app.exception_handler(RequestValidationError)
    def on_wrong_request(request: Request, error: RequestValidationError) -> HTMLResponse:
        return failed(400, "this address asks for something that there is not")

    @app.exception_handler(HttpError)
    def on_http_error(request: Request, error: HttpError) -> HTMLResponse:
        return failed(error.status_code, str(error.detail))

    _add_pages(app, database)
    _add_style(app, database)
    _add_curation(app, database, desk, secrets.token_urlsafe(32))
    _add_offline_page(app, database, desk)
    return app


def _add_pages(app: FastAPI, database: Path) -> None:
    @app.get("/", response_class=HTMLResponse)
    def front() -> str:
        with readable(database) as store:
            show = partial(_page, database=database, kind=kind_of(store))
            new = find_pairs(store, PairFilter(new=True, limit=_FRONT))
            pairs = new or find_pairs(store, PairFilter(limit=_FRONT))
            return show("front.html.j2", title="Knowledge base", stats=measure(store), pairs=pairs, new=bool(new))

    @app.get("/search", response_class=HTMLResponse)
    def search(q: Text = "") -> str:
        with readable(database) as store:
            found, groups = views.search(store, q) if q.strip() else ([], [])
            show = partial(_page, database=database, kind=kind_of(store))
        return show("search.html.j2", title=f"Search: {q}", q=q, found=found, groups=groups)

    @app.get("/entity", response_class=HTMLResponse)
    def entity(id: Text, status: Status | None = None, page: Number = 1) -> str:
        with readable(database) as store:
            found = views.entity_page(store, id, status, page)
            show = partial(_page, database=database, kind=kind_of(store))
        if found is None:
            raise HTTPException(404, "nothing of this id is in the database")
        link = views.link_of(views.Side(found.entity.id, found.entity.name, found.entity.identifier, None))
        pages = _pages(found.total)
        return show(
            "entity.html.j2", title=found.entity.name, found=found, link=link, status=status, page=page, pages=pages
        )

    @app.get("/group", response_class=HTMLResponse)
    def group(name: Text, status: Status | None = None, page: Number = 1) -> str:
        with readable(database) as store:
            pairs, total = views.group_page(store, name, status, page)
            show = partial(_page, database=database, kind=kind_of(store))
        return show(
            "group.html.j2", title=name, name=name, pairs=pairs, total=total, status=status, page=page,
            pages=_pages(total),
        )  # fmt: skip

    @app.get("/document", response_class=HTMLResponse)
    def document(id: Text) -> str:
        with readable(database) as store:
            found = views.document_page(store, id)
            show = partial(_page, database=database, kind=kind_of(store))
        if found is None:
            raise HTTPException(404, "no document of this id with relations is in the database")
        return show("document.html.j2", title=found.document.title or found.document.id, found=found)


def _add_style(app: FastAPI, database: Path) -> None:
    @app.get("/style.css")
    def style() -> Response:
        text = (Path(__file__).parent / "templates" / "style.css").read_text("utf-8")
        with readable(database) as store:
            text += _colours(kind_of(store))
        return Response(text, media_type="text/css")


def _add_curation(app: FastAPI, database: Path, desk: Desk, token: str) -> None:
    def pair_page(head: str, tail: str, relation: str | None, notice: str = "", fresh: bool = False) -> str:
        with readable(database) as store:
            found, kind = views.pair_page(store, head, tail, relation), kind_of(store)
        if found is None:
            raise HTTPException(404, "no such pair is in the database")
        pair, reports = found
        if fresh:
            notice = _add_answers(desk, kind, pair, reports)
        title = f"{pair.head.name}, {pair.tail.name}"
        values = {"pair": pair, "reports": reports, "notice": notice, "token": token}
        return _page("pair.html.j2", database, kind, title=title, **values)

    def sent(form: dict[str, str]) -> str:
        head, tail, relation = form.get("head", ""), form.get("tail", ""), form.get("relation")
        if form.get("action") == "answers":
            return pair_page(head, tail, relation, fresh=True)
        with readable(database) as store:
            documents, field = _documents(store, head, tail, relation), kind_of(store).field
        if not documents:
            raise HTTPException(404, "no such pair is in the database")
        try:
            notice = desk.send([each for each, _ in documents], [said for _, said in documents], field)
        except AbroadError as error:
            notice = f"Not sent: {error}"
        return pair_page(head, tail, relation, notice)

    @app.get("/pair", response_class=HTMLResponse)
    def pair(head: Text, tail: Text, relation: Text | None = None) -> str:
        return pair_page(head, tail, relation)

    @app.post("/pair", response_class=HTMLResponse)
    async def change(request: Request) -> str:
        body = await request.body()
        if len(body) > _MAX_BODY:
            raise HTTPException(413, "more than a form of these pages sends")
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        if not secrets.compare_digest(form.get("token", "").encode(), token.encode()):
            raise HTTPException(403, "this form is not of a page of this server: open the page again")
        return await run_in_threadpool(sent, form)


def _add_offline_page(app: FastAPI, database: Path, desk: Desk) -> None:
    @app.get("/curate")
    def curate(head: Text, tail: Text, relation: Text | None = None) -> Response:
        with readable(database) as store:
            documents, field = _documents(store, head, tail, relation), kind_of(store).field
        if not documents:
            raise HTTPException(404, "no such pair is in the database")
        html = desk.page([each for each, _ in documents], [said for _, said in documents], field)
        # A download and no page of this server: it has a script of its own, which is not to run with our address.
        return Response(
            html, media_type="text/html", headers={"Content-Disposition": 'attachment; filename="curate.html"'}
        )


def _add_answers(desk: Desk, kind: BaseKind, pair: Pair, reports: Sequence[views.Report]) -> str:
    """Add what curators have said since to the reports; gives a sentence that says how much that was."""
    try:
        found = desk.answers([report.statement.document for report in reports], kind.field)
    except AbroadError as error:
        return f"Nobody could be asked: {error}"
    count = 0
    for said, relations in found:
        stand = {tuple(map(normalise_upstream, relation)) for relation in relations}
        for report in reports:
            statement = report.statement
            if statement.document != said.document:
                continue
            type = () if kind.is_built_in else (pair.relation,)
            sides = [(statement.head_text, *type, statement.tail_text)]
            sides += [side[::-1] for side in sides if pair.relation in kind.undirected]
            verdict = "accepted" if {tuple(map(normalise_upstream, side)) for side in sides} & stand else "rejected"
            report.said = [each for each in report.said if each.curator != said.curator]
            report.said.append(Said(said.document, said.curator, verdict, said.comment, said.at))
            count += 1
    return f"{count} answers of curators" if count else "No curator has answered yet"


def _documents(store: Store, head: str, tail: str, relation: str | None) -> list[tuple[Document, Prediction]]:
    pair = pair_of(store, head, tail, relation)
    return documents_of(store, [each.document for each in statements(store, pair)]) if pair is not None else []


def _colours(kind: BaseKind) -> str:
    """Rules for the mentions of another field's types."""
    if kind.is_built_in:
        return ""
    return "".join(
        f"mark.type-{name} {{ background: {colour}33; border-bottom: 2px solid {colour}; }}\n"
        for name, colour in colours_of(kind.field).items()
    )


def _pages(total: int) -> int:
    return max(1, -(-total // views.PAGE_SIZE))


def _page(template: str, /, database: Path, kind: BaseKind | None, **values: Any) -> str:
    kind = kind or BaseKind(built_in_field())
    return render(
        "abroad.knowledge.browse",
        template,
        database=database.name,
        kind=kind,
        sides=several([kind.word(type) for type in kind.types]),
        search_for=_search_for(kind),
        statuses=_STATUSES,
        link_to=_link_to,
        link_of=views.link_of,
        publication=_publication,
        **values,
    )


def _search_for(kind: BaseKind) -> str:
    """What the field of the search takes: "Organism, compound or taxon"."""
    words = [*map(kind.word, kind.types), "taxon"] if kind.is_built_in else list(map(kind.word, kind.types))
    text = f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    return text[:1].upper() + text[1:]


def _link_to(page: str, **parameters: Any) -> str:
    """An address of one of our pages; parameters that are None are left out."""
    given = [f"{name}={quote(str(value), safe='')}" for name, value in parameters.items() if value is not None]
    return f"/{page}" + (f"?{'&'.join(given)}" if given else "")


def _publication(pmid: str | None, doi: str | None) -> tuple[str, str] | None:
    """(words, address) of a publication."""
    if pmid and pmid.isascii() and pmid.isdigit():
        return f"PMID {pmid}", f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"
    if doi and doi.startswith("10."):
        return f"doi:{doi}", f"https://doi.org/{quote(doi, safe='/:.;()-')}"
    return None
