"""A taxonomy for the labels a team already uses, made from its own labelled texts."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from engine.shared import policy_file
from engine.shared.errors import BadInput
from triage.learning.product_model import LabelledText
from triage.learning.train import learn_name
from triage.taxonomy import Product, Taxonomy, Urgency, is_label, load_taxonomy

EXAMPLES: Final = 5
FEWEST_EXAMPLES: Final = 3
FEWEST_WORDS: Final = 4
"""Shorter texts are examples only where a label has no others."""
LONGEST: Final = 500
CATCH_ALL: Final = ("other", "others", "general", "misc", "miscellaneous", "unknown", "sonstiges", "allgemein")
"""Names of a label for what nothing else fits."""

HEADER: Final = """\
# What a ticket can be about, and how urgent it can be: written by `helmdesk triage train` for the labels of {data}.
# HELMDESK_MODEL={model} uses this file, which lies beside it, as long as HELMDESK_TAXONOMY is not set.
#
# Who may change it: who owns triage. It is never written over.
# How to renew it: give each label the names that people use for it (aliases), the prefixes of its error codes
# (code_prefixes) and phrases of your own. `fallback` is the label of a ticket without text, `review_below` the
# confidence under which a person decides, `languages` the ones triage reads (none named: all). The urgency is that of
# the taxonomy {urgency_of}. The examples are rows of {data}: read them through before you pass this file on.

"""


def place_beside(model: Path) -> Path:
    """Where the taxonomy of a model lies: mine.yaml beside mine.npz."""
    return model.with_suffix(".yaml")


def check_beside(model: Path, labels: Collection[str]) -> None:
    """Before anything is learned: raises BadInput if the model would take the taxonomy's place, or if a file is there
    that is no taxonomy or has not all of the labels."""
    file = place_beside(model)
    if file == model:
        raise BadInput(f"{model} is the name of a taxonomy; name a file for --out that does not end in .yaml")
    if not file.exists():
        return
    known = load_taxonomy(file).product.labels
    if missing := sorted(set(labels) - set(known)):
        raise BadInput(f"{file} has no label {missing[0]!r}, and it is never written over; add it there, "
                       "take the file away, or name another --out")  # fmt: skip


def own_taxonomy(rows: Sequence[LabelledText], urgency: Urgency, *, name: str) -> Taxonomy:
    """Each label with phrases of its name and its shortest texts as examples.

    Raises BadInput with the label and why for labels that no taxonomy can hold.
    """
    texts: dict[str, dict[str, None]] = defaultdict(dict)
    for row in rows:
        texts[row.label][_shown(row.text)] = None
    taken: set[str] = set()
    labels = {label: _label(label, sorted(texts[label], key=_shortest_telling), taken) for label in sorted(texts)}
    try:
        product = Product.model_validate({"fallback": _fallback(rows), "labels": labels})
        return Taxonomy(id=f"of {name}", version=1, product=product, urgency=urgency)
    except ValidationError as error:
        raise BadInput(policy_file.first_wrong(error)) from error


def write_beside(model: Path, rows: Sequence[LabelledText], *, in_use: Taxonomy, data: str) -> str:
    """Write the taxonomy of a model's labels, with the urgency of the one in use, unless a file is there; says what
    became of it. Raises BadInput where nothing can be written."""
    file, use = place_beside(model), f"HELMDESK_MODEL={model}"
    if file.exists():
        return f"taxonomy {file} stays as it is; {use} uses both"
    try:
        own = own_taxonomy(rows, in_use.urgency, name=model.stem)
    except BadInput as error:
        return f"no taxonomy was written: {error}; change the rows and train again, or write {file}, for {use}"
    header = HEADER.format(data=_one_line(data), model=_one_line(model.name), urgency_of=in_use.id)
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(header + as_yaml(own))
    except OSError as error:
        raise BadInput(f"{file} can't be written: {error.strerror}") from error
    return f"taxonomy of these {len(own.product.labels)} labels -> {file}; {use} uses both"


def as_yaml(taxonomy: Taxonomy) -> str:
    """What `load_taxonomy` reads as the same taxonomy."""
    content = taxonomy.model_dump(mode="json")
    content["urgency"] = taxonomy.urgency.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)


def _label(label: str, texts: Sequence[str], taken: set[str]) -> dict[str, Any]:
    if not is_label(label):
        raise BadInput(f"label {label[:60]!r} is longer than 50 characters or has others than letters, digits, blanks "
                       "and _ & / , ' ( ) + ? ! : . -")  # fmt: skip
    name = learn_name(label)
    name = name if len(name) > 1 else f"label {label}"
    phrases = [name, f"question about {name}", f"problem with {name}"]
    taken.update(phrases)
    examples = [text for text in texts if len(text) > 1 and text not in taken][:EXAMPLES]
    if len(examples) < FEWEST_EXAMPLES:
        raise BadInput(f"label {label!r} needs {FEWEST_EXAMPLES} texts that no other label has, there are "
                       f"{len(examples)}")  # fmt: skip
    taken.update(examples)
    return {"name": name, "description": f"Texts labelled {label}.", "phrases": phrases, "examples": examples}


def _shown(text: str) -> str:
    """On one line, and no longer than an example may be."""
    line = _one_line(text)
    return line if len(line) <= LONGEST else line[:LONGEST].rsplit(" ", 1)[0]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shortest_telling(text: str) -> tuple[bool, int, str]:
    return len(text.split()) < FEWEST_WORDS, len(text), text


def _fallback(rows: Sequence[LabelledText]) -> str:
    """The label for what nothing else fits where there is one, else the commonest."""
    counts = Counter(row.label for row in rows)
    return min(counts, key=lambda label: (learn_name(label).casefold() not in CATCH_ALL, -counts[label], label))
