"""Topics that a model finds itself: it goes on with numbered lists, and each topic is used as often as every other.

Topic-guided generation of SELF-ALIGN (Sun et al., arXiv 2305.03047, section 3.1): a list for each type, shown with
other examples each time; what was shown is no new topic.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from abroad.core.field import Field
from abroad.synthesis.generation.writer import Writer
from abroad.synthesis.prompts.guides import Guide, Topics
from abroad.synthesis.tasks.wording import words_of

_SHOWN = 5  # examples before the model goes on
_A_LIST = 8  # topics that one continuation may give
_LONGEST = 8  # words of a topic
_LINE = re.compile(r"^\s*(?:\(?\d{1,2}[.):]+|[-*])?\s*(.+?)[\s.;,]*$")


def generate_topics(
    lists: Mapping[str, Sequence[str]],
    count: int,
    writer: Writer,
    seed: int = 0,
    temperature: float = 0.8,
) -> dict[str, list[str]]:
    """Up to `count` new topics for each list; those that several continuations have come first.

    Args:
        lists: what a list is of ("aims of studies of plants") -> examples.
        writer: goes on with the lists.
    """
    rounds = max(2, -(-2 * count // _A_LIST))
    prompts = [
        _prompt(what, examples, f"topics-{number}-{place}", Random(f"{seed}:{what}:{place}"), temperature)
        for number, (what, examples) in enumerate(lists.items())
        for place in range(rounds)
    ]
    votes: dict[str, Counter[str]] = {what: Counter() for what in lists}
    for record in writer.write(prompts, "topic_prompts.jsonl", "topics.jsonl"):
        known = {example.casefold() for example in lists[record["what"]]}
        votes[record["what"]].update(topic for topic in read_topics(record["AbstractText"]) if topic not in known)
    return {what: [topic for topic, _ in found.most_common(count)] for what, found in votes.items()}


def _prompt(what: str, examples: Sequence[str], id: str, draw: Random, temperature: float) -> dict[str, Any]:
    shown = draw.sample(list(examples), min(_SHOWN, len(examples)))
    lines = [f"{line}. {example}" for line, example in enumerate(shown, 1)]
    return {
        "id": id,
        "what": what,
        "prompt": f"{what[0].upper()}{what[1:]}, all different:\n" + "\n".join([*lines, f"{len(shown) + 1}."]),
        "temperature": temperature,
        "top_p": 0.95,
        "max_tokens": 12 * _A_LIST,
        "stop": ["\n\n"],
        "seed": draw.randrange(2**31),
    }


def with_own_topics(guide: Guide, found: Mapping[str, Sequence[str]], field: Field | None = None) -> Guide:
    """The guide with the aims and techniques that a model found (`guide_lists`) beside those that it had."""
    topics = {
        kingdom: Topics(
            aims=tuple(dict.fromkeys([*given.aims, *found[f"aims of {_studies(kingdom, field)}"]])),
            techniques=tuple(dict.fromkeys([*given.techniques, *found[f"techniques of {_studies(kingdom, field)}"]])),
        )
        for kingdom, given in guide.topics.items()
    }
    return guide.model_copy(update={"topics": topics})


def guide_lists(guide: Guide, field: Field | None = None) -> dict[str, Sequence[str]]:
    """What a model is to go on with: for each kingdom (or other group) of a guide its aims and its techniques.

    Args:
        field: that the studies are of; by default natural products.
    """
    lists: dict[str, Sequence[str]] = {}
    for kingdom, given in guide.topics.items():
        lists[f"aims of {_studies(kingdom, field)}"] = given.aims
        lists[f"techniques of {_studies(kingdom, field)}"] = given.techniques
    return lists


def _studies(kingdom: str, field: Field | None) -> str:
    if field is not None and not field.is_built_in:
        return f"studies of {words_of(field).about}{'' if kingdom == 'other' else f' ({kingdom})'}"
    words = {"Plantae": "plants", "Fungi": "fungi", "Bacteria": "bacteria", "Animalia": "animals", "other": "organisms"}
    return f"studies of compounds from {words.get(kingdom, kingdom)}"


def read_topics(text: str) -> list[str]:
    """The topics of a continued list, in lower case, each once; what is too long for one goes."""
    found = []
    for line in text.splitlines()[:_A_LIST]:
        match = _LINE.match(line)
        topic = " ".join(match[1].lower().split()) if match else ""
        if 3 < len(topic) <= 80 and len(topic.split()) <= _LONGEST and topic[0].isalnum():
            found.append(topic)
    return list(dict.fromkeys(found))
