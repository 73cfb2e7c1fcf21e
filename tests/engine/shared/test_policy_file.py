"""Whatever lies in a data file, what is wrong with it is one line that names it."""

from datetime import date
from pathlib import Path

import pytest

from engine.shared.errors import BadInput, NotFound
from engine.shared.policy_file import parse_yaml, read_yaml
from tests.cpu import cpu_seconds


@pytest.mark.parametrize(
    "content",
    [
        b"k" * 2_000 + b": 1\n" + b"k" * 2_000 + b": 2",
        b"a: " + b"1:" * 2_000 + b"1",
        b"a: \xff\xfe",
        b"a: [b\n c: }",
        b"\ta: 1",
        b"a: 2024-13-45",
        b"a: 1" + b"0" * 5000,
        b"[" * 3000,
        b"[" * 200_000,
        b"{a: " * 200_000,
        b"- " * 200_000,
        b"? [a]\n: 1",
        b"a: 1\nb: 2\na: 3",
        b"a: \x00",
        b"a: !!python/object/apply:os.system [echo]",
    ],
)
def test_bad_content_is_one_line_with_the_file(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(content)
    with pytest.raises(BadInput, match=r"policy\.yaml") as refused:
        read_yaml(file)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400
    assert str(refused.value).endswith(". Nothing of it was applied.")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"There is no SLA policy .*gone\.yaml"):
        read_yaml(tmp_path / "gone.yaml", what="SLA policy")


def test_merge_keys_still_work(tmp_path: Path) -> None:
    file = tmp_path / "merged.yaml"
    file.write_text("base: &base {a: 1}\nmine: {<<: *base, b: 2}\n", encoding="utf-8")
    assert read_yaml(file)["mine"] == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: 1\nresolution: 4:00", "line 2: 4:00 is a number to YAML, in sixties; put it in quotes"),
        ("a: 190:20:30.15", "line 1: 190:20:30.15 is a number to YAML"),
        ("a: 1\nb: 2\nvalid_from: 2024-13-01", "line 3: 2024-13-01 is no date: month must be in 1..12"),
    ],
)
def test_what_yaml_would_misread_is_refused_with_its_line(content: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(content)
    with pytest.raises(BadInput, match=said):
        read_yaml(file)


def test_plain_numbers_and_dates_are_what_they_say(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("[1, 1_000, 0x10, 1.5, .inf, 2024-01-02]")
    assert read_yaml(file) == [1, 1000, 16, 1.5, float("inf"), date(2024, 1, 2)]


@pytest.mark.parametrize("content", ["a: !!timestamp foo", "a: !!bool foo", "a: !!int ''"])
def test_a_tag_that_does_not_fit_is_one_line(content: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(content)
    with pytest.raises(BadInput, match=r"policy\.yaml"):
        read_yaml(file)


def nested_aliases(item: str, first: str) -> str:
    """Sixty lines that stand for 9 to the power of 60 values."""
    lines = [f"a{n}: &a{n} {item.format(', '.join([f'*a{n - 1}'] * 9))}\n" for n in range(1, 60)]
    return "".join([f"a0: &a0 {first}\n", *lines])


BOMBS = {
    "lists": nested_aliases("[{}]", "[x]"),
    "merged keys": nested_aliases("{{<<: [{}]}}", "{x: 1}"),
    "one large value twice": f"a: &a [{'x, ' * 6_000}]\nb: [*a, *a]",
    "one small value often": f"a: &a x\nb: [{'*a, ' * 10_001}]",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_aliases_that_stand_for_too_much_are_one_line(bomb: str) -> None:
    def read() -> None:
        with pytest.raises(BadInput, match=r"^bomb\.yaml: its aliases stand for more than 10,000 values\. Nothing"):
            parse_yaml(bomb, "bomb.yaml")

    assert cpu_seconds(read, under=2) < 2


@pytest.mark.parametrize("text", ["a: &a [*a]", "&a {b: {c: *a}}", "- &a [[*a]]"])
def test_a_value_within_itself_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="&a holds itself"):
        parse_yaml(text, "loop.yaml")


def test_depth_is_counted_through_aliases() -> None:
    half = f"a: &a {'[' * 60}{']' * 60}\nb: {{}}"
    assert parse_yaml(half.format("*a"), "deep.yaml")
    with pytest.raises(BadInput, match="nested too deeply"):
        parse_yaml(half.format(f"{'[' * 60}*a{']' * 60}"), "deep.yaml")


def test_ten_thousand_repeated_values_are_read() -> None:
    assert len(parse_yaml(f"a: &a x\nb: [{'*a, ' * 10_000}]", "large.yaml")["b"]) == 10_000
