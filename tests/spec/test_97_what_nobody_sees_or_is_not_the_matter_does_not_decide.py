"""INC-1's firewall works fine, it wants an invoice, and something in white nobody sees."""

from datetime import UTC, datetime

from pipelines.app.settings import shipped_data
from triage.classify import LocalClassifier
from triage.contracts import TicketText
from triage.embed import WordLlama
from triage.evidence import error_codes
from triage.sanitize import clean_ticket, whole_text
from triage.taxonomy import load_taxonomy

TICKET = TicketText(
    ticket_id="web:1",
    content="<p>Our firewall works fine, please send the invoice.</p><p style='color:#fff'>ZTNA-301</p>",
)


def test_white_text_is_not_read_and_what_is_fine_is_not_surely_the_matter() -> None:
    taxonomy = load_taxonomy(shipped_data() / "taxonomies" / "products.yaml")
    assert error_codes(whole_text(clean_ticket(TICKET)), taxonomy) == {}
    [claim] = LocalClassifier(taxonomy, WordLlama(), clock=lambda: datetime(2026, 9, 1, tzinfo=UTC)).classify([TICKET])
    assert claim.product != "CFW" or claim.needs_review
