"""Barriers against script in Argilla's page: names that are refused, the content policy, fonts of the server's own."""

import asyncio
import re
import sqlite3
import sys

import httpx
import pytest

from annotation.server_env import SERVER

SCRIPT = "<img src=x onerror=window.top.owned=1>"
BAD = [f"ana{SCRIPT}", "<b>", "a b", "ana/../x", 'a"b', "a&b", "a'b", "ana\n", "ana\u202e", "\u200bana", "", "x" * 101]
GOOD = ["names-marie.curie_2@example.org", "names-José", "names-李", "N"]


@pytest.fixture
def owner(annotation_server):
    with httpx.Client(
        base_url=f"{annotation_server.url}/api/v1", headers={"X-Argilla-Api-Key": annotation_server.api_key}
    ) as client:
        yield client


def create(owner, name, **more):
    body = {"first_name": "x", "username": name, "password": "12345678", "role": "annotator", **more}
    return owner.post("/users", json=body)


@pytest.mark.parametrize("name", BAD)
def test_other_signs_in_a_name_are_refused_by_command_and_server(annotation_server, owner, cli, name):
    options = ("--url", annotation_server.url, "--api-key", annotation_server.api_key, "--workspace", "names")
    result = cli("annotate", "user", *options, "--", name)
    assert result.exit_code == 2 and "expected 1 to 100 letters, digits" in result.output
    assert create(owner, name).status_code == 422
    assert all(user["username"] != name for user in owner.get("/users").json()["items"])


@pytest.mark.parametrize("name", GOOD)
def test_names_of_people_are_taken_and_cannot_become_others(owner, name):
    made = create(owner, name)
    assert made.status_code == 201
    user = f"/users/{made.json()['id']}"
    for change in ({"username": f"x{SCRIPT}"}, {"first_name": SCRIPT}, {"last_name": SCRIPT}):
        assert owner.patch(user, json=change).status_code == 422
    assert owner.get(user).json()["username"] == name
    assert owner.delete(user).status_code == 200


def test_names_of_persons_hold_no_html(owner):
    for field in ("first_name", "last_name"):
        assert create(owner, "names-html", **{field: SCRIPT}).status_code == 422


def test_a_name_of_an_earlier_version_is_told_at_the_start(own_server):
    own_server.start()
    headers = {"X-Argilla-Api-Key": own_server.api_key}
    body = {"first_name": "x", "username": "earlier", "password": "12345678", "role": "annotator"}
    assert httpx.post(f"{own_server.url}/api/v1/users", headers=headers, json=body).status_code == 201
    assert "no longer allowed" not in own_server.output
    own_server.stop()
    with sqlite3.connect(own_server.home / "argilla.db") as database:
        database.execute("UPDATE users SET username = ? WHERE username = 'earlier'", [SCRIPT])
    own_server.start()
    assert "no longer allowed" in own_server.output and SCRIPT in own_server.output
    names = [user["username"] for user in httpx.get(f"{own_server.url}/api/v1/users", headers=headers).json()["items"]]
    assert SCRIPT in names


@pytest.mark.parametrize("path", ["/", "/sign-in", "/user-settings", "/no/such/page", "/api/v1/me", "/api/v1/no-such"])
def test_every_answer_has_the_policy(annotation_server, path):
    answer = httpx.get(annotation_server.url + path)
    rules = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == "'self'" and rules["object-src"] == "'none'" and rules["connect-src"] == "'self'"
    assert "unsafe" not in rules["script-src"] and "http" not in rules["script-src"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_no_style_sheet_names_another_address(annotation_server):
    html = httpx.get(annotation_server.url).text
    sheets = set(re.findall(r"[\w/]+\.css", html))
    assert sheets
    texts = [httpx.get(f"{annotation_server.url}/{sheet.lstrip('/')}").text for sheet in sheets]
    assert not any(re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", text) for text in texts)
    fonts = {font for text in texts for font in re.findall(r"fonts/((?:inter|roboto)[\w-]+\.woff2)", text)}
    assert fonts == {font.name for font in (SERVER / "fonts").glob("*.woff2")}
    for font in fonts:
        assert httpx.get(f"{annotation_server.url}/fonts/{font}").content[:4] == b"wOF2"


@pytest.fixture
def modules(monkeypatch):
    monkeypatch.syspath_prepend(str(SERVER))
    yield __import__
    for name in ("content_policy", "local_fonts"):
        sys.modules.pop(name, None)


def test_inline_scripts_of_the_page_are_allowed_by_hash_and_headers_are_replaced(modules, tmp_path):
    """Without a server: scripts with a source need no hash, a policy of the answer's own does not stay beside ours."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.html").write_text("<script src=x.js></script><script>alert(1)</script><SCRIPT>\nb</SCRIPT>")
    module = modules("content_policy")
    policy = module.policy(tmp_path)
    assert policy.count("'sha256-") == 2
    sent = []

    async def application(scope, receive, send):
        headers = [(b"Content-Security-Policy", b"default-src *"), (b"x-kept", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        sent.append(message)

    asyncio.run(module.ContentPolicy(application, policy)({"type": "http"}, None, send))
    headers = [(name.lower(), value) for name, value in sent[0]["headers"]]
    assert [value for name, value in headers if name == b"content-security-policy"] == [policy.encode()]
    assert (b"x-kept", b"1") in headers and len(sent) == 2


@pytest.mark.parametrize(
    "rule",
    [
        "@import url(https://fonts.googleapis.com/css2?family=Inter:wght@300;400;700&display=swap);",
        "@import url('//fonts.example.org/a.css') screen;",
    ],
)
def test_imports_of_other_addresses_go_and_own_ones_stay(modules, tmp_path, rule):
    sheet, other = tmp_path / "a.css", tmp_path / "b.css"
    sheet.write_text(f"{rule}p{{color:red}}")
    other.write_text("@import url(own.css);p{color:red}")
    modules("local_fonts").serve_fonts(tmp_path)
    assert "//" not in sheet.read_text().replace("../", "") and sheet.read_text().endswith("}\np{color:red}")
    assert other.read_text() == "@import url(own.css);p{color:red}"
