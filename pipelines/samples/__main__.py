"""Write a sample of tickets: `python -m pipelines.samples --tickets 1500 --seed 7 --out data/tickets`."""

import argparse
import sys
from datetime import date
from pathlib import Path

from engine.shared.errors import HelmdeskError
from pipelines.app.people_files import load_people
from pipelines.samples.files import write_sample
from pipelines.samples.generate import generate


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipelines.samples", description="Write synthetic support tickets.")
    parser.add_argument("--tickets", type=_at_least_one, default=1500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--start", type=date.fromisoformat, default=date(2026, 7, 3), help="first day, UTC")
    parser.add_argument("--days", type=_at_least_one, default=90)
    parser.add_argument("--people", type=Path, default=Path("data/people"))
    parser.add_argument("--out", type=Path, required=True, help="folder; its files are replaced")
    given = parser.parse_args(arguments)
    try:
        people = load_people(given.people)
    except HelmdeskError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sample = generate(given.tickets, seed=given.seed, start=given.start, days=given.days, people=people)
    write_sample(given.out, sample, seed=given.seed, start=given.start, days=given.days)
    sys.stdout.write(f"{len(sample.tickets)} tickets and {len(sample.events)} events in {given.out}\n")
    return 0


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
