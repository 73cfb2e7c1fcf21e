"""A broken allocation file is refused with its file, its key and the reason."""

from pathlib import Path

import pytest

from engine.allocation.policy import load_policy
from engine.shared.errors import BadInput, NotFound
from tests.engine.allocation.desk import POLICY_FILE, policy

GOOD = POLICY_FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("availability: 0.25, bandwidth", "availability: 0.35, bandwidth", "sum to 1.1"),
        ("velocity: 0.20", "speed: 0.20", "presets.helmdesk.weights.velocity: Field required"),
        ("min_score: 0.40", "min_score: high", "presets.helmdesk.min_score"),
        ("min_score: 0.40", "min_score: 1.4", "presets.helmdesk.min_score"),
        ("use: helmdesk", "use: hld-v9", "no preset is called 'hld-v9'"),
        ("mode: graded", "mode: vague", "presets.helmdesk.mode"),
        ("excellent_score: 0.80", "excellent_score: 0.80\n    switched_off: [karma]", "unknown factors karma"),
        ("default_timezone: null", "default_timezone: Mars/Phobos", "not an IANA time zone"),
        ("steps: [[50, 1.0], [500, 0.7]", "steps: [[500, 1.0], [50, 0.7]", "distance_km"),
        ("use: helmdesk", "use: helmdesk\nuse: hld-v1", "given twice"),
        ("presets:", "presets: [", "allocation.yaml"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    broken = tmp_path / "allocation.yaml"
    assert old in GOOD
    broken.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(BadInput) as refusal:
        load_policy(broken)
    assert said in str(refusal.value)
    assert str(broken) in str(refusal.value)


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(NotFound, match="hld-v1, hld-v2"):
        load_policy(POLICY_FILE, "hld-v3")


def test_presets_keep_the_two_documents_apart() -> None:
    assert (policy("hld-v2").min_score, policy("hld-v1").min_score) == (0.40, 0.50)
    assert (policy("hld-v2").weights.cultural_fit, policy("hld-v1").weights.cultural_fit) == (0.05, 0.12)
    assert policy().name == "helmdesk"


def test_a_switched_off_factor_gives_its_weight_to_the_rest() -> None:
    without = policy("hld-v2", switched_off=("proximity", "timezone"))
    assert without.effective_weights["availability"] == pytest.approx(0.25 / 0.85)
    assert without.effective_weights["proximity"] == 0
    assert without.label.startswith("hld-v2 (off: proximity, timezone; weights renormalised: ")
