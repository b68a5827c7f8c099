"""Downloads: resumed, checked, in place whole or not at all."""

import hashlib
import json
import random

import pytest

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.http import retry_after
from abroad.sources.download import Check, download
from abroad.sources.manifest import Entry, load_entry, published_check
from tests.sources.servers import FileServer

CONTENT = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    with FileServer(CONTENT).serve() as running:
        yield running


def fetch(server, target, check=None, attempts=1):
    return download(server.url, target, check, attempts=attempts, first_wait=0.0)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_whole_download_is_in_place_with_its_hash_and_nothing_beside_it(server, tmp_path):
    result = fetch(server, tmp_path / "t.gz", Check(len(CONTENT), "sha256", SHA256))
    assert (tmp_path / "t.gz").read_bytes() == CONTENT
    assert (result.sha256, result.size, result.reused) == (SHA256, len(CONTENT), False)
    assert result.checked == "checked by size and sha256"
    assert names(tmp_path) == ["t.gz"]


def test_a_cut_connection_is_resumed_from_where_it_broke(server, tmp_path):
    server.cut_after = [100_000, 50_000]
    fetch(server, tmp_path / "t.gz", attempts=3)
    assert server.ranges == ["", "bytes=100000-", "bytes=150000-"]
    assert (tmp_path / "t.gz").read_bytes() == CONTENT


def test_a_later_run_resumes_what_an_earlier_one_left(server, tmp_path):
    server.cut_after = [100_000]
    with pytest.raises(AbroadError, match="run the same command again"):
        fetch(server, tmp_path / "t.gz")
    assert not (tmp_path / "t.gz").exists()
    assert (tmp_path / "t.gz.abroad" / "part").stat().st_size == 100_000
    fetch(server, tmp_path / "t.gz", Check(algorithm="md5", digest=server.md5))
    assert server.ranges[-1] == "bytes=100000-"
    assert names(tmp_path) == ["t.gz"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(server, tmp_path):
    server.cut_after = [100_000]
    with pytest.raises(AbroadError):
        fetch(server, tmp_path / "t.gz")
    server.content, server.etag = CONTENT[::-1], '"v2"'
    fetch(server, tmp_path / "t.gz")
    assert server.ranges[-1] == "bytes=100000-"
    assert (tmp_path / "t.gz").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_strong_validator_nothing_is_pieced_together(server, tmp_path, etag):
    server.etag, server.cut_after = etag, [100_000]
    fetch(server, tmp_path / "t.gz", attempts=2)
    assert server.ranges == ["", ""]
    assert (tmp_path / "t.gz").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_of_it_again(server, tmp_path):
    server.ranged, server.cut_after = False, [100_000]
    fetch(server, tmp_path / "t.gz", attempts=2)
    assert (tmp_path / "t.gz").read_bytes() == CONTENT


def test_a_part_that_is_the_whole_file_is_taken(server, tmp_path):
    (tmp_path / "t.gz.part").write_bytes(CONTENT)
    (tmp_path / "t.gz.part.json").write_text(json.dumps({"url": server.url, "validator": server.etag}))
    fetch(server, tmp_path / "t.gz", Check(algorithm="sha256", digest=SHA256))
    assert server.ranges == [f"bytes={len(CONTENT)}-"]
    assert names(tmp_path) == ["t.gz"]


def test_a_part_of_another_address_is_not_used(server, tmp_path):
    (tmp_path / "t.gz.part").write_bytes(b"x" * 10)
    (tmp_path / "t.gz.part.json").write_text(json.dumps({"url": "http://elsewhere/", "validator": server.etag}))
    fetch(server, tmp_path / "t.gz")
    assert (tmp_path / "t.gz").read_bytes() == CONTENT


@pytest.mark.parametrize("check", [Check(algorithm="md5", digest="0" * 32), Check(size=len(CONTENT) + 1)])
def test_a_file_that_is_not_the_one_expected_is_refused_and_the_old_one_stays(server, tmp_path, check):
    (tmp_path / "t.gz").write_bytes(b"old")
    with pytest.raises(AbroadError, match="expected"):
        fetch(server, tmp_path / "t.gz", check)
    assert (tmp_path / "t.gz").read_bytes() == b"old"


def test_a_wrong_checksum_leaves_nothing_to_resume(server, tmp_path):
    with pytest.raises(AbroadError, match=r"expected md5 0+, found"):
        fetch(server, tmp_path / "t.gz", Check(algorithm="md5", digest="0" * 32))
    assert names(tmp_path) == []


def test_a_file_already_there_and_right_is_not_fetched(server, tmp_path):
    (tmp_path / "t.gz").write_bytes(CONTENT)
    assert fetch(server, tmp_path / "t.gz", Check(algorithm="sha256", digest=SHA256)).reused
    assert server.ranges == []


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(server, tmp_path):
    server.faults = [503, 429]
    fetch(server, tmp_path / "t.gz", attempts=3)
    server.faults = [404]
    with pytest.raises(AbroadError, match="HTTP 404"):
        fetch(server, tmp_path / "u.gz", attempts=3)
    assert len(server.ranges) == 4


@pytest.mark.parametrize("url", ["ftp://example.org/x", "table.csv", "http://"])
def test_an_address_that_is_not_http_is_an_input_error(tmp_path, url):
    with pytest.raises(InputError, match="http"):
        download(url, tmp_path / "x")


def test_retry_after_is_read_as_seconds_or_date_and_bounded():
    assert retry_after("7") == 7
    assert retry_after(None) == retry_after("soon") == retry_after("-3") == retry_after("nan") == 0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("Wed, 21 Oct 2125 07:28:00 GMT") == retry_after("1e9") == 600


def entry(server, **fields) -> Entry:
    base = server.url.rpartition("/")[0]
    return Entry("t", "10.1/x", server.url, f"{base}/api/record", "table.csv.gz", "CC0", "c", **fields)


def test_where_the_manifest_has_no_checksum_the_record_is_asked(server):
    server.listing = json.dumps(
        {"files": [{"key": "other"}, {"key": "table.csv.gz", "size": 300_000, "checksum": f"md5:{server.md5}"}]}
    ).encode()
    said = []
    assert published_check(entry(server), None, Context(say=said.append)) == Check(300_000, "md5", server.md5)
    assert not said


@pytest.mark.parametrize("listing", [b"{}", b"not json", b'{"files": [{"key": "other"}]}'])
def test_a_record_that_says_nothing_of_the_file_leaves_the_size_only(server, listing):
    server.listing, said = listing, []
    assert published_check(entry(server, size=5), None, Context(say=said.append)) == Check(5)
    assert "checking the size only" in said[0]


def test_a_checksum_in_the_manifest_is_used_and_no_one_asked(server):
    assert published_check(entry(server, size=5, sha256="ab"), None, Context(say=pytest.fail)) == Check(
        5, "sha256", "ab"
    )
    assert published_check(entry(server), "http://mirror/x", Context(say=pytest.fail)) == Check()


def test_the_manifest_in_the_package_names_the_lotus_file():
    lotus = load_entry("lotus_metadata")
    assert lotus.doi == "10.5281/zenodo.7534071"
    assert lotus.url.startswith("https://zenodo.org/") and lotus.url.endswith(lotus.file)
    assert lotus.licence == "CC BY 4.0"
    with pytest.raises(InputError, match="expected one of"):
        load_entry("nothing")
