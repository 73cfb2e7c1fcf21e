import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from engine.errors import BadInput
from pipelines.settings import shipped_data
from pipelines.triage_commands import evaluate, train
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
        "strange": [("who are you", "OTHER"), ("who am I", "OTHER"), ("a bill", "DLP"), ("b bill", "DLP")],
    }
    for name, lines in rows.items():
        text = "\n".join(json.dumps({"text": said, "label": label}) for said, label in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [*map(str, words), "--embedder", "wordllama"])


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


def test_what_is_learned_does_not_depend_on_the_test(files: Path) -> None:
    about = []
    for test in ("test", "train"):
        done = run("eval", "--train", files / "train.jsonl", "--test", files / f"{test}.jsonl", "--json")
        found = json.loads(done.output)
        about.append({name: found[name] for name in ("method", "cross_validated_accuracy", "data_sha256")})
    assert about[0] == about[1]


def test_label_unknown_to_the_taxonomy_is_refused(files: Path, tmp_path: Path) -> None:
    done = run("train", "--data", files / "strange.jsonl", "--taxonomy", TAXONOMY, "--out", tmp_path / "x.model")
    assert isinstance(done.exception, BadInput)
    assert "'OTHER'" in str(done.exception)
    assert not (tmp_path / "x.model").exists()


def test_test_label_never_learned_is_refused(files: Path) -> None:
    done = run("eval", "--train", files / "train.jsonl", "--test", files / "strange.jsonl")
    assert isinstance(done.exception, BadInput)
    assert "strange.jsonl has the label 'OTHER'" in str(done.exception)
