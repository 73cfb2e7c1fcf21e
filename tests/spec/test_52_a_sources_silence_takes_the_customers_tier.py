"""A ticket of Acme, enterprise, without a tier: enterprise from its creation on."""

from engine.contracts import Tier
from tests.engine.test_customers import completed


def test_silence_takes_it_and_a_stated_standard_stays() -> None:
    assert completed(company="acme")[0] == Tier.ENTERPRISE
    assert completed(company="acme", tier="standard")[0] == Tier.STANDARD
