import json
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.shared.errors import BadInput, NotFound
from tests.triage.conftest import MONDAY, monday
from triage.contracts import TicketText
from triage.embed import MiniLM, WordLlama
from triage.learning.methods import METHODS
from triage.learning.out_of_scope import Scope
from triage.learning.product_model import LabelledText
from triage.learning.train import train
from triage.model_files import NUMBERS, check_place, load_model, read_model, save_model
from triage.ports import Embedder
from triage.taxonomy import Taxonomy

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


def parts_of(file: Path) -> dict[str, Any]:
    with np.load(file) as kept:
        return dict(kept)


def changed(file: Path, to: Path, **head: object) -> Path:
    parts = parts_of(file)
    edited = json.loads(parts["head"].tobytes()) | head
    return written(to, parts | {"head": np.frombuffer(json.dumps(edited).encode(), dtype=np.uint8)})


def written(to: Path, parts: dict[str, Any]) -> Path:
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
        ({"version": 2}, "version 2, this helmdesk reads 4; train again"),
        ({"format": "other"}, "its format is 'other'"),
        ({"sha256": "0"}, "not as it was saved"),
        ({"labels": ["a"]}, "not as it was saved"),
        ({"temperature": 0}, "not as it was saved"),
        ({"texts": [None]}, "not as it was saved"),
        ({"about": None}, "not as it was saved"),
        ({"words": {"a": 999}}, "not as it was saved"),
    ],
)
def test_a_changed_head_is_one_clear_error(file: Path, tmp_path: Path, head: dict[str, object], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        read_model(changed(file, tmp_path / "odd.model", **head))


def test_parts_that_do_not_fit_together_are_refused(file: Path, tmp_path: Path) -> None:
    model = read_model(file)
    for odd in (model._replace(labels=["a"]), model._replace(texts=[]), model._replace(scope=Scope("odd", 0.0))):
        save_model(tmp_path / "odd.model", odd)
        with pytest.raises(BadInput, match="do not fit together"):
            read_model(tmp_path / "odd.model")


@pytest.mark.parametrize("name", NUMBERS)
def test_changed_numbers_are_refused(file: Path, tmp_path: Path, name: str) -> None:
    parts = parts_of(file)
    for odd in (parts[name] + 1, parts[name].reshape(-1, 1), np.append(parts[name], 1)):
        if odd.shape != parts[name].shape or odd.size:
            with pytest.raises(BadInput, match="not as it was saved"):
                read_model(written(tmp_path / "odd.model", parts | {name: odd}))


def test_no_flipped_bit_is_a_traceback(file: Path, tmp_path: Path) -> None:
    whole, random = bytearray(file.read_bytes()), np.random.default_rng(1)
    for at in [*range(60), *range(len(whole) - 400, len(whole), 8), *random.integers(0, len(whole), 20)]:
        odd = whole.copy()
        odd[at] ^= 1 << int(random.integers(8))
        (tmp_path / "odd.model").write_bytes(odd)
        with suppress(BadInput):
            assert read_model(tmp_path / "odd.model").texts == read_model(file).texts


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


def test_only_a_model_is_written_over(file: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label", encoding="utf-8")
    (tmp_path / "link.model").symlink_to(file)
    check_place(file)
    check_place(tmp_path / "new" / "deep" / "ours.model", [tmp_path / "rows.csv"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.model", "rows.csv"]
    with pytest.raises(BadInput, match=r"rows\.csv exists and is no model; name another file for --out"):
        check_place(tmp_path / "rows.csv")
    with pytest.raises(BadInput, match=r"link\.model is read to learn from"):
        check_place(tmp_path / "link.model", [file])


@pytest.mark.parametrize("place", ["/proc/nope/x.npz", "rows.csv/x.npz", "", "a" * 300])
def test_a_place_that_cannot_be_written_is_told(file: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "rows.csv").write_text("text,label", encoding="utf-8")
    with pytest.raises(BadInput, match=r"can't be written|is a folder"):
        check_place(tmp_path / place)
    model = read_model(file)
    with pytest.raises(BadInput, match="can't be written"):
        save_model(tmp_path / place, model)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
    assert not list(tmp_path.parent.glob("*.part"))
