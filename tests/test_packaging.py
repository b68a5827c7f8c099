"""What users install: a wheel with all that the packages need, which works without extras; `make help`."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import abroad.core.extras

ROOT = Path(__file__).parents[1]
PACKAGES = ("abroad", "annotation", "gme_sampler")
OF_DEVELOPERS = {"server", "learn", "train_encoder", "taxonomy"}
"""Folders and modules that run in an environment of their own, or make what is shipped."""
COME_WITH_OTHERS = {"markupsafe", "starlette", "huggingface_hub", "safetensors", "pandas"}
"""With jinja2, fastapi, tokenizers and transformers; pandas where the user has it."""
NOT_INSTALLED = {"annotation/README.md"}
EXTRAS = tuple(sorted(abroad.core.extras.EXTRAS))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEXT = "Usnic acid was isolated from Usnea barbata."


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of a copy of the source tree, since a build leaves files beside it."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source / name)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc"))
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", out, source]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (built,) = out.glob("*.whl")
    return built


def dependencies() -> list[Distribution]:
    """The distributions that abroad needs without extras, and those that they need."""
    found: dict[str, Distribution] = {}
    waiting = [(requirement, "") for requirement in PROJECT["dependencies"]]
    seen = set()
    while waiting:
        text, extra = waiting.pop()
        requirement = Requirement(text)
        if (text, extra) in seen or (requirement.marker and not requirement.marker.evaluate({"extra": extra})):
            continue
        seen.add((text, extra))
        own = found.setdefault(requirement.name.lower(), distribution(requirement.name))
        waiting += [(text, extra) for text in own.requires or [] for extra in ("", *requirement.extras)]
    return list(found.values())


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Path:
    """A new environment's Python: the wheel, and what it asks for without extras, from this environment's files."""
    directory = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    (site,) = directory.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    for installed in dependencies():
        for name in {file.parts[0] for file in installed.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / name).exists():
                (site / name).symlink_to(Path(str(installed.locate_file(name))))
    return directory / "bin" / "python"


def run(python: Path, *arguments: str) -> str:
    """Run it away from the source tree, with nothing of this environment in its path."""
    done = subprocess.run([python, "-I", *arguments], capture_output=True, text=True, cwd=python.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_wheel_holds_three_packages_and_nothing_else_on_top(wheel):
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_holds_every_file_of_the_packages(wheel):
    files = {path.relative_to(ROOT).as_posix() for name in PACKAGES for path in (ROOT / name).rglob("*")}
    wanted = {name for name in files if (ROOT / name).is_file() and "__pycache__" not in name} - NOT_INSTALLED
    with zipfile.ZipFile(wheel) as archive:
        assert wanted - set(archive.namelist()) == set()


def test_extraction_works_without_extras(environment):
    script = f"import abroad; [r] = abroad.extract({TEXT!r}); print(abroad.__file__, r.organism, r.chemical, sep='|')"
    file, *relation = run(environment, "-c", script).split("|")
    assert Path(file).is_relative_to(environment.parents[1]) and relation == ["Usnea barbata", "Usnic acid"]
    names = f"[name for name in {EXTRAS!r} if importlib.util.find_spec(name)]"
    assert run(environment, "-c", f"import importlib.util; print({names})") == "[]"


def test_the_command_works_without_extras(environment):
    assert "Usnea barbata" in run(environment, "-m", "abroad", "extract", "--text", TEXT)
    assert "Example" in run(environment, "-m", "abroad", "evaluate", "--help")


@pytest.mark.parametrize(
    ("command", "package"),
    [
        ("lotus prepare lotus.csv --doi2pmid doi2pmid.tsv --out r.tsv", "polars"),
        ("sample relations.tsv --out s.tsv", "numba"),
        ("extractor train curated.jsonl --out mine", "scikit-learn"),
        ("extract curated.jsonl --out p.spacy", "spacy"),
        ("evaluate --gold curated.jsonl --pred p.jsonl --report r.html", "spacy"),
        ("extract curated.jsonl --model language-model --out q.jsonl", "torch"),
    ],
)
def test_what_an_extra_is_needed_for_says_how_to_add_it(environment, tmp_path, command, package):
    sample = ROOT / "data" / "sample"
    for source, name in (("lotus_metadata.csv", "lotus.csv"), ("doi2pmid.tsv",) * 2, ("curated.jsonl",) * 2):
        shutil.copy(sample / source, tmp_path / name)
    (tmp_path / "relations.tsv").write_text("reference_doi\torganism_wikidata\tstructure_wikidata\n10.1/a\tQ1\tQ2\n")
    (tmp_path / "language-model").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "language-model" / name).write_text("{}")
    (tmp_path / "p.jsonl").write_text('{"id": "99001001", "relations": []}\n')
    done = subprocess.run(
        [environment, "-I", "-m", "abroad", *command.split()], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "which is not installed: pip install" in done.stderr and f'"{package}' in done.stderr


@pytest.mark.parametrize("out", ["p.jsonl", "p.csv", "p.xlsx"])
def test_files_are_read_and_written_without_extras(environment, tmp_path, out):
    gold, predictions = ROOT / "data/sample/curated_valid.jsonl", tmp_path / out
    run(environment, "-m", "abroad", "extract", str(gold), "--out", str(predictions))
    if out != "p.xlsx":
        assert "F1" in run(environment, "-m", "abroad", "evaluate", "--gold", str(gold), "--pred", str(predictions))


def test_what_is_installed_for_extraction_has_less_than_300_mb(wheel):
    """Files as they are; `du` on a file system of 4 KB blocks says about 5% more."""
    with zipfile.ZipFile(wheel) as archive:
        size = sum(item.file_size for item in archive.infolist())
    for installed in dependencies():
        files = [Path(str(installed.locate_file(file))) for file in installed.files or []]
        size += sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")
    assert size < 300e6


def imported(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).partition(".")[0]


def test_every_package_that_is_imported_is_asked_for():
    """By the base, or by the extra that messages name."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    files = [path for path in files if not OF_DEVELOPERS & {path.stem, *path.parent.parts[-2:]}]
    modules = {name for path in files for name in imported(path)} - {*sys.stdlib_module_names, *PACKAGES}
    asked = {Requirement(line).name.lower().replace("-", "_") for line in PROJECT["dependencies"]}
    for name in sorted(modules - COME_WITH_OTHERS):
        distributions = {item.lower().replace("-", "_") for item in packages_distributions().get(name, [name])}
        extra = abroad.core.extras.EXTRAS.get(name)
        wanted = PROJECT["optional-dependencies"][extra] if extra else []
        of_extra = {Requirement(line).name.lower().replace("-", "_") for line in wanted}
        assert distributions & (of_extra if extra else asked), name


def test_a_knowledge_base_in_sqlite_works_without_extras_and_others_name_theirs(environment, tmp_path):
    (tmp_path / "d.jsonl").write_text(json.dumps({"id": "1", "AbstractText": TEXT}) + "\n")
    run(environment, "-m", "abroad", "extract", str(tmp_path / "d.jsonl"), "--out", str(tmp_path / "p.jsonl"))
    build = ("-m", "abroad", "knowledge", "build", str(tmp_path / "p.jsonl"), "--out")
    run(environment, *build, str(tmp_path / "np.sqlite"))
    assert "Usnic acid" in run(environment, "-m", "abroad", "knowledge", "query", str(tmp_path / "np.sqlite"))
    done = subprocess.run([environment, "-I", *build, str(tmp_path / "np.duckdb")], capture_output=True, text=True)
    assert done.returncode == 1 and 'pip install "duckdb' in done.stderr
    browse = [environment, "-I", "-m", "abroad", "knowledge", "browse", str(tmp_path / "np.sqlite")]
    done = subprocess.run(browse, capture_output=True, text=True)
    assert done.returncode == 1 and 'pip install "duckdb' in done.stderr


def test_make_help_lists_every_target():
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"^  make (\S+) +\S", listed, re.MULTILINE)) == set(phony.split())
