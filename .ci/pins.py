"""Write the versions installed here to constraints.txt (for pip) and to [tool.uv] constraint-dependencies (for uv).

Run it after the tests passed with new versions: `uv lock --upgrade && uv sync && uv run python .ci/pins.py`.
Only names and versions are written: no addresses.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START, END = "# pins: written by .ci/pins.py", "# end of pins"


def installed() -> list[str]:
    """What is installed here, as exact pins."""
    command = ["uv", "pip", "freeze", "--exclude-editable"]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return sorted(line for line in lines if re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+", line))


def write(pins: list[str]) -> None:
    """Put the pins into both files."""
    header = "# The versions helmdesk was tested with: pip install -c constraints.txt .\n"
    (ROOT / "constraints.txt").write_text(header + "\n".join(pins) + "\n", encoding="utf-8")
    project = ROOT / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    listed = "".join(f'    "{pin}",\n' for pin in pins)
    block = f"{START}\n[tool.uv]\nconstraint-dependencies = [\n{listed}]\n{END}\n"
    kept = re.sub(re.escape(START) + r".*?" + re.escape(END) + r"\n", "", text, flags=re.DOTALL).rstrip("\n")
    project.write_text(f"{kept}\n\n{block}", encoding="utf-8")


if __name__ == "__main__":
    write(installed())
