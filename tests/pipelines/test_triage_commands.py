import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from engine.shared.errors import BadInput, NotFound
from pipelines.app.container import open_app
from pipelines.app.settings import shipped_data
from pipelines.commands.learning import evaluate, train
from triage.contracts import TicketText
from triage.embed import WordLlama
from triage.learning.measures import MEANINGS
from triage.model_files import read_model
from triage.taxonomy import load_taxonomy

app = typer.Typer()
app.command("train")(train)
app.command("eval")(evaluate)
TAXONOMY = shipped_data() / "taxonomies" / "products.yaml"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows")
    labels = load_taxonomy(TAXONOMY).product.labels
    rows = {
        "train": [(text, label) for label, content in labels.items() for text in content.examples[:7]],
        "test": [(text, label) for label, content in labels.items() for text in content.examples[7:]],
        "oos": [("what is the capital of Peru", ""), ("play some jazz", ""), ("how tall is the tower", "")],
        "mixed": [("play some jazz", "oos"), ("the file is blocked", "DLP")],
        "strange": [("who are you", "OTHER"), ("who am I", "OTHER"), ("a bill", "DLP"), ("b bill", "DLP")],
    }
    for name, lines in rows.items():
        text = "\n".join(json.dumps({"text": said, "label": label}) for said, label in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [*map(str, words)], obj={"home": None})


def test_training_writes_a_model_and_shows_the_losers(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "ours.model"
    done = run("train", "--data", files / "train.jsonl", "--taxonomy", TAXONOMY, "--out", out)
    assert done.exit_code == 0, done.output
    assert all(method in done.output for method in read_model(out).about["cross_validated_accuracy"])
    assert "49 texts, 7 labels" in done.output
    assert done.output.count("<- chosen") == 1


def test_evaluation_gives_every_figure_with_an_interval(files: Path) -> None:
    done = run("eval", "--train", files / "train.jsonl", "--test", files / "test.jsonl",
               "--oos", files / "oos.jsonl", "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["figures"]["accuracy"]["value"] > 0.4
    assert {"ece_raw", "ece", "aurc", "oos_auroc", "oos_recall"} < set(found["figures"])
    assert all(figure["low"] <= figure["high"] for figure in found["figures"].values())
    assert found["texts_per_second"] > 0
    rows = len((files / "test.jsonl").read_text(encoding="utf-8").splitlines())
    assert (found["test_rows"], found["test_rows_left_out"], found["shared_texts"]) == (rows, 0, 0)


def test_a_reader_without_documentation_is_told_what_the_figures_say(files: Path) -> None:
    done = run("eval", "--train", files / "train.jsonl", "--test", files / "test.jsonl",
               "--oos", files / "oos.jsonl", "--json")  # fmt: skip
    found = json.loads(done.output)
    assert set(found["figures"]) == set(MEANINGS)
    assert all(figure["says"] for figure in found["figures"].values())
    assert "bootstrap" in found["intervals"]
    assert (found["train_rows"], found["train_rows_left_out"]) == (49, 0)
    assert found["out_of_scope"]["rows"] == 3
    assert "0 rows of --oos-train; none of --oos" in found["out_of_scope"]["threshold_chosen_on"]


def test_the_threshold_does_not_depend_on_what_is_judged_out_of_scope(files: Path, tmp_path: Path) -> None:
    (tmp_path / "others.csv").write_text("text\nis my invoice wrong\nsing\n", encoding="utf-8")
    thresholds = set()
    for oos in (files / "oos.jsonl", tmp_path / "others.csv"):
        done = run("eval", "--train", files / "train.jsonl", "--test", files / "test.jsonl", "--oos", oos, "--json")
        thresholds.add(json.loads(done.output)["out_of_scope"]["threshold"])
    assert len(thresholds) == 1


def test_texts_in_scope_are_not_judged_as_out_of_scope(files: Path) -> None:
    for option in ("--oos", "--oos-train"):
        done = run(
            "eval", "--train", files / "train.jsonl", "--test", files / "test.jsonl", option, files / "mixed.jsonl"
        )
        assert isinstance(done.exception, BadInput)
        assert "mixed.jsonl has 1 rows with a label that is learned, as 'DLP'" in str(done.exception)


def test_texts_out_of_scope_known_from_elsewhere_are_counted(files: Path, tmp_path: Path) -> None:
    first = json.loads((files / "test.jsonl").read_text(encoding="utf-8").splitlines()[0])["text"]
    (tmp_path / "oos.jsonl").write_text(
        "\n".join(json.dumps({"text": text}) for text in ("play some jazz", first, "who are you")), encoding="utf-8"
    )
    words = (
        "eval",
        "--train",
        files / "train.jsonl",
        "--test",
        files / "test.jsonl",
        "--oos-train",
        files / "oos.jsonl",
    )
    assert (
        json.loads(run(*words, "--oos", tmp_path / "oos.jsonl", "--json").output)["out_of_scope"]["shared_texts"] == 2
    )
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes((files / "oos.jsonl").read_bytes())
    assert "Every text of copy.jsonl was also learned from" in str(run(*words, "--oos", copy).exception)


def test_what_is_learned_does_not_depend_on_the_test(files: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join((files / "test.jsonl").read_text(encoding="utf-8").splitlines()[:9]), encoding="utf-8")
    about = []
    for test in (files / "test.jsonl", other):
        done = run("eval", "--train", files / "train.jsonl", "--test", test, "--json")
        found = json.loads(done.output)
        about.append({name: found[name] for name in ("method", "cross_validated_accuracy", "data_sha256")})
    assert about[0] == about[1]


def test_texts_also_learned_from_are_counted(files: Path, tmp_path: Path) -> None:
    first = json.loads((files / "train.jsonl").read_text(encoding="utf-8").splitlines()[0])
    lines = [json.dumps(first | {"text": f" {first['text'].upper()} "}), '{"text": "", "label": "DLP"}']
    mixed = tmp_path / "mixed.jsonl"
    mixed.write_text("\n".join([*lines, (files / "test.jsonl").read_text(encoding="utf-8")]), encoding="utf-8")
    rows = len((files / "test.jsonl").read_text(encoding="utf-8").splitlines())
    done = run("eval", "--train", files / "train.jsonl", "--test", mixed)
    told = f"{rows + 1} test rows, 1 more without text or label left out, 1 with a text that was also learned from"
    assert told in done.output


def test_a_test_that_was_learned_from_is_refused(files: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes((files / "train.jsonl").read_bytes())
    (tmp_path / "link.jsonl").symlink_to(files / "train.jsonl")
    for test, reason in ((tmp_path / "link.jsonl", "is also learned from"), (copy, "Every text of copy.jsonl was")):
        done = run("eval", "--train", files / "train.jsonl", "--test", test)
        assert isinstance(done.exception, BadInput)
        assert reason in str(done.exception)
    done = run("eval", "--train", files / "train.jsonl", "--test", files / "test.jsonl",
               "--oos-train", files / "oos.jsonl", "--oos", files / "oos.jsonl")  # fmt: skip
    assert "oos.jsonl is also learned from" in str(done.exception)


@pytest.mark.parametrize("option", ["--test", "--oos", "--oos-train"])
def test_missing_files_are_told_before_learning(files: Path, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triage.learning.train.train", lambda *_, **__: pytest.fail("learned before looking"))
    given = {"--train": files / "train.jsonl", "--test": files / "test.jsonl", option: files / "nowhere.jsonl"}
    done = run("eval", *(word for pair in given.items() for word in pair))
    assert isinstance(done.exception, NotFound)
    assert "nowhere.jsonl" in str(done.exception)


@pytest.mark.parametrize("out", ["train.jsonl", "oos.jsonl", "taxonomy.yaml", "notes.txt", ".", "notes.txt/x.npz"])
def test_nothing_is_written_over_and_told_before_learning(
    files: Path, tmp_path: Path, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage.learning.train.train", lambda *_, **__: pytest.fail("learned before looking"))
    for name, source in (
        ("train.jsonl", files / "train.jsonl"),
        ("oos.jsonl", files / "oos.jsonl"),
        ("taxonomy.yaml", TAXONOMY),
    ):
        (tmp_path / name).write_bytes(source.read_bytes())
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = run("train", "--data", tmp_path / "train.jsonl", "--oos-train", tmp_path / "oos.jsonl",
               "--taxonomy", tmp_path / "taxonomy.yaml", "--out", tmp_path / out)  # fmt: skip
    assert isinstance(done.exception, BadInput)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_earlier_model_is_replaced(files: Path, tmp_path: Path) -> None:
    for data in ("train", "test"):
        assert run("train", "--data", files / f"{data}.jsonl", "--out", tmp_path / "x.npz").exit_code == 0
    assert read_model(tmp_path / "x.npz").about["rows"] < 49


def test_the_embedder_is_the_settings_unless_told(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Opened(Exception):
        pass

    def open_embedder(name: str) -> WordLlama:
        raise Opened(name)

    monkeypatch.setattr("triage.embed.open_embedder", open_embedder)
    for command in (("train", "--data", files / "train.jsonl", "--out", files / "x.npz"),
                    ("eval", "--train", files / "train.jsonl", "--test", files / "test.jsonl")):  # fmt: skip
        assert str(run(*command).exception) == "wordllama"
        assert str(run(*command, "--embedder", "minilm").exception) == "minilm"


def test_label_unknown_to_the_taxonomy_is_refused(files: Path, tmp_path: Path) -> None:
    done = run("train", "--data", files / "strange.jsonl", "--taxonomy", TAXONOMY, "--out", tmp_path / "x.model")
    assert isinstance(done.exception, BadInput)
    assert "'OTHER'" in str(done.exception)
    assert not (tmp_path / "x.model").exists()


def test_test_label_never_learned_is_refused(files: Path) -> None:
    done = run("eval", "--train", files / "train.jsonl", "--test", files / "strange.jsonl")
    assert isinstance(done.exception, BadInput)
    assert "strange.jsonl has the label 'OTHER', which the training rows do not have (and 1 more" in str(done.exception)
    assert "--oos" in str(done.exception)


OWN = {"badge": "my badge {} the door", "parking": "the parking gate {} my car"}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Rows whose labels no shipped taxonomy has."""
    verbs = ("does not open for", "opens too late for", "shows red at", "was rejected at", "beeps twice at")
    rows = [{"text": text.format(verb), "label": label} for label, text in OWN.items() for verb in verbs]
    (tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return tmp_path / "own.jsonl"


def test_a_model_of_own_labels_is_used_by_its_setting_alone(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("train", "--data", own, "--out", tmp_path / "mine.npz")
    assert "taxonomy of these 2 labels" in done.output
    monkeypatch.setenv("HELMDESK_MODEL", str(tmp_path / "mine.npz"))
    with open_app() as app:
        (claim,) = app.triage.classifier.classify([TicketText(ticket_id="t", subject="my badge is red at the door")])
        assert (claim.product, claim.urgency, list(app.triage.taxonomy.product.labels)) == (
            "badge",
            "medium",
            sorted(OWN),
        )


def test_labels_that_the_taxonomy_has_need_none_of_their_own(files: Path, tmp_path: Path) -> None:
    run("train", "--data", files / "train.jsonl", "--out", tmp_path / "mine.npz")
    assert (tmp_path / "mine.npz").exists()
    assert not (tmp_path / "mine.yaml").exists()


def test_a_taxonomy_beside_the_model_that_lacks_a_label_is_told_of_before_learning(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_bytes(TAXONOMY.read_bytes())
    monkeypatch.setattr("triage.learning.train.train", lambda *_, **__: pytest.fail("learned before looking"))
    assert "has no label 'badge'" in str(run("train", "--data", own, "--out", tmp_path / "mine.npz").exception)


def test_a_model_whose_taxonomy_is_gone_says_what_to_do(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("train", "--data", own, "--out", tmp_path / "mine.npz")
    kept = (tmp_path / "mine.yaml").rename(tmp_path / "elsewhere.yaml")
    monkeypatch.setenv("HELMDESK_MODEL", str(tmp_path / "mine.npz"))
    with open_app() as app, pytest.raises(BadInput, match=r"'badge'.* products .*put a taxonomy.* at .*mine\.yaml"):
        _ = app.triage.classifier
    monkeypatch.setenv("HELMDESK_TAXONOMY", str(kept))
    with open_app() as app:
        assert app.triage.classifier.name.startswith("trained:")
