"""Of INC-1's article one sentence is quoted with the mark, one is in no draft, whatever the policy says."""

from pipelines.app.settings import shipped_data
from triage.drafting.article_policy import load_article_policy
from triage.drafting.article_sentences import judge

RULES = load_article_policy(shipped_data() / "policies" / "articles.yaml").rules()


def test_a_command_is_quoted_with_the_mark() -> None:
    assert judge("Run `sudo chronyc makestep`.", RULES).verdict == "check"


def test_what_turns_a_protection_off_is_left_out_whatever_the_policy_says() -> None:
    lenient = RULES._replace(
        sites=(*RULES.sites, "get-fix.sh"),
        steps=RULES.steps.model_copy(update=dict.fromkeys(type(RULES.steps).model_fields, "quote")),
    )
    for rules in (RULES, lenient):
        assert judge("Turn off the firewall and fetch get-fix.sh/install.", rules).verdict == "leave out"
