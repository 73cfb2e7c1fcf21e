"""The handler has no address: allocate and deliver fail, the marts are published all the same, exit code 15."""

import pytest

from engine.contracts import Delivery
from engine.shared.errors import StageFailed
from pipelines.app.container import open_app
from pipelines.cli import exit_code
from pipelines.jobs.cycle import STAGES, cycle
from pipelines.marts import current
from tests.engine.people import delivered, later


def test_stages_have_codes_eleven_to_eighteen() -> None:
    codes = {name: exit_code(StageFailed("", place=place)) for place, name in enumerate(STAGES)}
    assert (codes["ingest"], codes["allocate"], codes["publish"]) == (11, 15, 18)


def test_marts_are_published_though_the_handler_has_no_address(tmp_path) -> None:
    with open_app(home=tmp_path, embedder="wordllama", handler="servicenow") as app:
        app.store.ingest(Delivery(tickets=(delivered(1),)), at=later(1))
        with pytest.raises(StageFailed, match=r"^allocate: .*; deliver: .* \(done: .*publish\)$") as failed:
            cycle(app, as_of=later(2))
        assert exit_code(failed.value) == 15
        assert current(app.settings.marts_folder).rows["tickets"] == 1
