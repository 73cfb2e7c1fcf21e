"""The files say what they must, and no file names what it must not."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def tracked() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def test_environment_is_read_in_settings_only() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for room in ("engine", "sla", "triage", "pipelines", "dashboards")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"os\.(getenv|environ\b(?!,))", path.read_text(encoding="utf-8"))
    }
    assert readers <= {"pipelines/app/settings.py"}


def test_pins_are_the_same_for_pip_and_uv() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert project["tool"]["uv"]["constraint-dependencies"] == [line for line in lines if not line.startswith("#")]


def test_no_lock_file_and_no_registry_is_named() -> None:
    files = tracked()
    assert not [f for f in files if f.name in {"uv.lock", "package-lock.json"} or f.name.startswith("pylock")]
    host = re.compile(r"https?://[^\s\"']*(pypi|pythonhosted|npmjs)\.|--(extra-)?index-url")
    texts = [
        f for f in files if f.suffix in {".py", ".toml", ".txt", ".md", ".yaml", ".yml", ".sh"} and f != Path(__file__)
    ]
    assert not [str(f) for f in texts if host.search(f.read_text(encoding="utf-8"))]


def test_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 100
