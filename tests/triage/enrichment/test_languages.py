import csv
import json
from collections import Counter

import pytest

from tests.triage.conftest import DATA
from tests.triage.enrichment.enriching import POLICY
from triage.enrichment.languages import language_of, log_lines, prose

RULES = POLICY.languages

TOLD = [
    ("The connector is offline since this morning and nobody can work.", "en"),
    ("Seit heute früh ist der Konnektor offline und niemand kann arbeiten.", "de"),
    ("Le connecteur est hors ligne depuis ce matin et personne ne peut travailler.", "fr"),
    ("El conector está desconectado desde esta mañana y nadie puede trabajar.", "es"),
    ("Il connettore non funziona da questa mattina e nessuno può lavorare.", "it"),
    ("De verbinding werkt sinds vanochtend niet meer en niemand kan werken.", "nl"),
    ("O conector está fora do ar desde hoje de manhã e ninguém consegue trabalhar.", "pt"),
]
UNTOLD = {
    "empty": "",
    "short": "Hello",
    "a code": "ZTNA-301 SWG-210",
    "emoji": "😀😀😀😀 🎉🎉🎉🎉 👍👍👍👍",
    "digits": "407 407 12345678901234567890 99 %",
    "a log": "2026-07-07T07:53:57Z srv-app25 svc[44540]: retry 8/10\nERROR dns-proxy timeout after several tries",
    "a stack trace": 'Traceback (most recent call last):\n  File "a.py", line 3, in main\nValueError: broken again',
    "addresses": "https://portal.example/some/very/long/path?with=query ana.lima@company.example srv_app_01.example",
    "Cyrillic": "Коннектор не работает с сегодняшнего утра, никто не может работать",
    "Japanese": "今朝からコネクタがオフラインで、誰も作業できません。至急対応をお願いします。",
    "Arabic": "الموصل غير متصل منذ هذا الصباح ولا أحد يستطيع العمل",
    "nonsense": "qwx zzkr pfft wxyq grmbl krzt vvnq xqzw hjkl",
}


@pytest.mark.parametrize(("text", "code"), TOLD)
def test_a_sentence_tells_its_language(text: str, code: str) -> None:
    found = language_of(text, RULES)
    assert found is not None
    assert found.code == code
    assert RULES.least_confidence <= found.confidence <= 1


@pytest.mark.parametrize("text", UNTOLD.values(), ids=UNTOLD)
def test_none_rather_than_a_guess(text: str) -> None:
    assert language_of(text, RULES) is None


def test_another_script_is_told_where_the_policy_knows_it() -> None:
    rules = RULES.model_copy(update={"known": RULES.known | {"ru": "CYRILLIC", "uk": "CYRILLIC"}})
    assert language_of(UNTOLD["Cyrillic"], rules).code == "ru"
    assert language_of(TOLD[1][0], rules).code == "de"


def test_pasted_logs_do_not_change_the_language() -> None:
    log = "2026-07-07T07:53:57Z the connector was not able to reach the controller and will try again\n" * 20
    assert language_of(f"{TOLD[1][0]}\n{log}", RULES).code == "de"
    assert len(log_lines(log)) == 20
    assert prose(log) == ""


def test_sample_tickets_are_told_right() -> None:
    """Synthetic tickets in four languages, told from seven."""
    with (DATA / "tickets" / "labels.csv").open(encoding="utf-8") as file:
        labelled = {row["external_id"] for row in csv.DictReader(file)}
    outcome: Counter[str] = Counter()
    for line in (DATA / "tickets" / "tickets.jsonl").read_text(encoding="utf-8").splitlines():
        ticket = json.loads(line) if line.endswith("}") else {}
        if ticket.get("ticket_id") in labelled and "description" in ticket:
            found = language_of(f"{ticket.get('title', '')}\n{ticket['description']}", RULES)
            outcome["none" if found is None else "right" if found.code == ticket["language"] else "wrong"] += 1
    assert outcome["right"] / (outcome["right"] + outcome["wrong"]) >= 0.99
    assert outcome["none"] <= 0.02 * outcome.total()
