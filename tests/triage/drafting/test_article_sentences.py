"""What of an article may be quoted: never what turns off a protection, asks for a secret or orders a model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from engine.shared.errors import BadInput
from tests.triage.conftest import DATA
from triage.contracts import Article
from triage.drafting.article_policy import ArticlePolicy, Rules, Steps, load_article_policy
from triage.drafting.article_sentences import judge
from triage.drafting.articles_judged import judged_sentences
from triage.drafting.statements import written_sentences
from triage.knowledge.articles import read_folder

CASES = Path(__file__).parent / "data"
FILE = DATA / "policies" / "articles.yaml"
POLICY = load_article_policy(FILE)
LEAST_STRICT = POLICY.model_copy(update={"steps": Steps.model_validate(dict.fromkeys(Steps.model_fields, "check"))})
FILES = ("bad_sentences.yaml", "more_bad_sentences.yaml", "later_bad_sentences.yaml", "fourth_bad_sentences.yaml")
PLAIN = yaml.safe_load((CASES / "plain_sentences.yaml").read_text(encoding="utf-8"))


def bad(part: str) -> Iterator[tuple[str, str]]:
    """Kind and sentence of every case."""
    for name in FILES:
        kinds = yaml.safe_load((CASES / name).read_text(encoding="utf-8"))[part]
        yield from ((kind, sentence) for kind, sentences in kinds.items() for sentence in sentences)


def verdicts(text: str, rules: Rules) -> set[str]:
    return {judge(part.judged_as, rules).verdict for part in written_sentences(text)}


def test_enough_kinds_of_bad_sentences_are_tried() -> None:
    cases = [*bad("left_out"), *bad("caught")]
    assert len({sentence for _, sentence in cases}) >= 700
    assert len({kind for kind, _ in cases}) >= 40


@pytest.mark.parametrize(("kind", "sentence"), list(bad("left_out")))
def test_it_is_left_out_even_by_the_least_strict_policy(kind: str, sentence: str) -> None:
    assert "leave out" in verdicts(sentence, LEAST_STRICT.rules()), kind


@pytest.mark.parametrize(("kind", "sentence"), list(bad("caught")))
def test_it_is_never_quoted_as_it_is(kind: str, sentence: str) -> None:
    assert verdicts(sentence, LEAST_STRICT.rules()) & {"check", "leave out"}, kind


@pytest.mark.parametrize(
    "sentence",
    [
        "Open https://help.northlight.example/other and sign in.",
        "Allow `proxy.acme.example` in the browser.",
        "Open `chrome://net-internals/#proxy` and press Re-apply.",
        "Never send us a password or a one-time code.",
        "We never ask for your password, a one-time code or a recovery code.",
        "Send the log with the password blacked out.",
        "Never switch off the firewall for a whole zone.",
        "The DLP policy blocks the upload.",
        "Exempt the connector from TLS inspection.",
        "If the firewall is disabled, the icon is grey.",
        "The connector stops when its certificate expires.",
        "Exclude well-known test numbers such as 4111 1111 1111 1111.",
        "The rule ignores the system clock after 10.20.1.0/24.",
        "Set `proxy.pac` in `config.yaml` and read README.md first.",
        "Client 7.4.2 and firmware 10.4.2.1 show `x509: unknown authority`.",
        "The assistant opens with the first page.",
        "Call us when production traffic fails now.",
        "A payment was refused, and the banner stays.",
        "Reload the page; e.g. press F5, i.e. once.",
        "Bitte öffnen",
        *PLAIN,
    ],
)
def test_ordinary_sentences_may_be_quoted(sentence: str) -> None:
    assert judge(sentence, POLICY.rules()).verdict == "quote"


def test_shipped_steps_are_marked_and_the_rest_is_quoted() -> None:
    """The steps are listed by hand: commands, downloads, installs, credentials, rights, deletions, exemptions."""
    steps = set((CASES / "shipped_steps.txt").read_text(encoding="utf-8").splitlines())
    judged = judged_sentences(read_folder(DATA / "knowledge"), POLICY.rules("knowledge"))
    assert {one.text for one in judged if one.text in steps and one.verdict == "check"} == steps
    others = [one for one in judged if one.text not in steps]
    assert len(others) >= 1200
    assert sum(one.verdict == "quote" for one in others) / len(others) >= 0.97
    assert [one.text for one in judged if one.verdict == "leave out"] == []


@pytest.mark.parametrize("step", ["sudo ", "curl ", "Download "])
def test_no_shipped_sudo_curl_or_download_goes_unmarked(step: str) -> None:
    judged = judged_sentences(read_folder(DATA / "knowledge"), POLICY.rules("knowledge"))
    named = [one for one in judged if f"`{step}" in one.text or one.text.startswith(step)]
    assert named
    assert {one.verdict for one in named} == {"check"}


@pytest.mark.parametrize("kind", ["protection_off", "secret", "order", "place", "contact"])
def test_a_policy_cannot_allow_what_is_always_left_out(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "articles.yaml"
    file.write_text(FILE.read_text(encoding="utf-8") + f"  {kind}: check\n", encoding="utf-8")
    with pytest.raises(BadInput, match=rf"steps\.{kind}"):
        load_article_policy(file)


def test_no_step_can_be_made_quotable(tmp_path: Path) -> None:
    file = tmp_path / "articles.yaml"
    file.write_text(FILE.read_text(encoding="utf-8").replace("command: check", "command: quote"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"steps\.command"):
        load_article_policy(file)


def test_a_policy_may_leave_a_step_out() -> None:
    strict = POLICY.model_copy(update={"steps": Steps(download="leave out")})
    assert judge("Download the hotfix.", POLICY.rules()).verdict == "check"
    assert judge("Download the hotfix.", strict.rules()).verdict == "leave out"


def test_places_and_contacts_of_one_source_are_its_own() -> None:
    own = {"sites": ("hr.example",), "contacts": {"emails": ("hr@hr.example",), "phones": ("+49 30 901820",)}}
    policy = ArticlePolicy.model_validate({"sources": {"hr": own}})
    for sentence in (
        "Open https://forms.hr.example/leave now.",
        "Write to hr@hr.example first.",
        "Call 0049 30 901820 at noon.",
    ):
        assert judge(sentence, policy.rules("hr")).verdict == "quote"
        assert judge(sentence, policy.rules("wiki")).verdict == "leave out"


@pytest.mark.parametrize("sentence", ["Defragment the disk.", "Please frobnicate the list.", "You should jiggle it."])
def test_a_step_on_no_list_is_checked(sentence: str) -> None:
    assert "not on the list of plain ones" in judge(sentence, POLICY.rules()).reason


def test_changing_is_plain_for_listed_objects_only() -> None:
    for sentence, verdict in (("Rename the report.", "quote"), ("Rename the kernel.", "check")):
        assert judge(sentence, POLICY.rules()).verdict == verdict


def test_a_language_that_is_not_read_well_is_left_out() -> None:
    for sentence, verdict in (
        ("Die Liste ist nach dem Datum sortiert.", "check"),
        ("Die Regeln gelten nicht, und alles ist anders.", "leave out"),
        ("Listan är sorterad och det finns inte fler.", "leave out"),
    ):
        assert judge(sentence, POLICY.rules()).verdict == verdict


def test_a_german_desk_may_quote_german() -> None:
    sentence = "Öffnen Sie die Liste und sehen Sie nach dem Zustand der Verbindung."
    german = ArticlePolicy.model_validate({"languages": ["en", "de"], "sources": {}})
    assert judge(sentence, german.rules()).verdict == "quote"
    assert judge(sentence, POLICY.rules()).verdict == "check"


def test_the_front_matter_of_an_article_vouches_for_nothing(articles: list[Article]) -> None:
    assert judge("Open https://help.northlight.example/ztna/301 now.", ArticlePolicy(sources={}).rules()).verdict == (
        "leave out"
    )


def test_links_by_name_and_in_tags_are_followed() -> None:
    by_name = "Get it [here][fix] today.\n\n[fix]: https://evil.example/x"
    in_tag = 'Get it <a href="https://evil.example">here</a> today.'
    for text in (by_name, in_tag):
        first = next(written_sentences(text))
        assert judge(first.judged_as, POLICY.rules()).verdict == "leave out"
