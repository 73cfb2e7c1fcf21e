"""What every test starts from: no settings of this machine, Hypothesis without a deadline."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "desk", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("desk")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HELMDESK_")]:
        monkeypatch.delenv(name)
