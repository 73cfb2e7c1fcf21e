import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import BadInput, NotFound
from tests.triage.conftest import MONDAY, monday
from triage.contracts import TicketText
from triage.embed import MiniLM, WordLlama
from triage.methods import METHODS
from triage.model_files import load_model, read_model, save_model
from triage.ports import Embedder
from triage.product_model import LabelledText
from triage.taxonomy import Taxonomy
from triage.train import train

OFFLINE = "Our ZTNA-301 connector for private apps is offline since this morning."


@pytest.fixture(scope="module")
def words() -> Embedder:
    return WordLlama()


@pytest.fixture(scope="module", params=[METHODS[0], METHODS[2]], ids=["logistic", "svm"])
def file(request: Any, taxonomy: Taxonomy, words: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    labels = taxonomy.product.labels
    rows = [LabelledText(text, label) for label, content in labels.items() for text in content.examples]
    phrases = {label: content.phrases for label, content in labels.items()}
    path = tmp_path_factory.mktemp("models") / "ours.model"
    save_model(path, train(rows, words, at=MONDAY, phrases=phrases, methods=[request.param]))
    return path


def changed(file: Path, to: Path, **head: object) -> Path:
    with np.load(file) as kept:
        parts = dict(kept)
    parts["head"] = np.frombuffer(json.dumps(json.loads(parts["head"].tobytes()) | head).encode(), dtype=np.uint8)
    with to.open("wb") as stream:
        np.savez(stream, **parts)
    return to


def test_model_read_back_says_the_same(file: Path, words: Embedder, tmp_path: Path) -> None:
    model = read_model(file)
    save_model(tmp_path / "again.model", model)
    again = read_model(tmp_path / "again.model")
    vectors = words.embed([OFFLINE])
    assert np.array_equal(model.probabilities([OFFLINE], vectors), again.probabilities([OFFLINE], vectors))
    assert again.about == model.about
    assert len(model.about["data_sha256"]) == 64


def test_loaded_model_classifies_with_reasons(file: Path, words: Embedder, taxonomy: Taxonomy) -> None:
    classifier = load_model(file, words, taxonomy=taxonomy, clock=monday)
    claim, empty = classifier.classify([TicketText(ticket_id="a", content=OFFLINE), TicketText(ticket_id="b")])
    assert (claim.product, claim.ticket_id, claim.created_at) == ("ZTNA", "a", MONDAY)
    assert "reads like “" in claim.reasoning
    assert "names ZTNA-301" in claim.reasoning
    assert (empty.product, empty.confidence, empty.needs_review) == ("GENERAL", 0.0, True)


def test_foreign_text_goes_to_a_person(file: Path, words: Embedder, taxonomy: Taxonomy) -> None:
    classifier = load_model(file, words, taxonomy=taxonomy, clock=monday)
    assert classifier.classify([TicketText(ticket_id="a", content="Who won the chess match in Peru?")])[0].needs_review


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ({"version": 3}, "version 3, this helmdesk reads 2"),
        ({"format": "other"}, "its format is 'other'"),
        ({"numbers_sha256": "0"}, "not the ones that were saved"),
        ({"labels": ["a"]}, "do not fit together"),
        ({"platt": {"cruel": 1}}, "damaged"),
    ],
)
def test_file_that_does_not_fit_is_refused(file: Path, tmp_path: Path, head: dict[str, object], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_model(changed(file, tmp_path / "odd.model", **head))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_half_a_file_is_refused(file: Path, tmp_path: Path, share: float) -> None:
    content = file.read_bytes()
    (tmp_path / "half.model").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BadInput, match=r"half\.model is not a helmdesk model or is damaged"):
        read_model(tmp_path / "half.model")


def test_pickle_is_never_opened(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]

    (tmp_path / "a.model").write_bytes(pickle.dumps(Attack()))
    with pytest.raises(BadInput, match="not a helmdesk model"):
        read_model(tmp_path / "a.model")
    np.savez(tmp_path / "b.npz", head=np.array([Attack()], dtype=object))
    with pytest.raises(BadInput, match="not a helmdesk model"):
        read_model(tmp_path / "b.npz")
    assert not (tmp_path / "ran").exists()


def test_other_parts_than_trained_with_are_refused(file: Path, words: Embedder, taxonomy: Taxonomy) -> None:
    with pytest.raises(BadInput, match="HELMDESK_EMBEDDER"):
        load_model(file, MiniLM(), taxonomy=taxonomy, clock=monday)
    labels = {name: content for name, content in taxonomy.product.labels.items() if name != "DLP"}
    fewer = taxonomy.model_copy(update={"product": taxonomy.product.model_copy(update={"labels": labels})})
    with pytest.raises(BadInput, match="'DLP'"):
        load_model(file, words, taxonomy=fewer, clock=monday)
    with pytest.raises(NotFound, match="helmdesk triage train"):
        read_model(file.with_name("none.model"))
