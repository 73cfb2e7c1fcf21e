"""Each shipped mapping reads an export as its system writes it."""

from pathlib import Path

import pytest

from engine.plugins.registry import source_plugin
from tests.engine.plugins.samples import MAPPINGS, whole, written

ZENDESK = """Summation column,Id,Req. Id,Subject,Status,Priority,Via,Ticket type,Created at,Updated at,Initially assigned at,Solved at,Tags,Group,Assignee,Requester email,Organization
1,7,1,No mail,Pending,Urgent,Mail,Incident,2026-03-02 09:00:00 +0100,2026-03-02 12:00:00 +0100,2026-03-02 09:05:00 +0100,,vip emea,L1,Ana,x@example.com,Acme
1,8,1,Thanks,Solved,-,Web form,-,2026-03-02 10:00,2026-03-02 12:00,,2026-03-02 11:00,,L1,Ana,x@example.com,Acme
"""  # noqa: E501
JIRA = """Issue key,Issue id,Summary,Description,Issue Type,Status,Priority,Created,Updated,Resolved,Labels,Labels,Reporter Id
SUP-1,100,Slow,text,Bug,In Progress,Highest,02/Mar/26 3:05 PM,02/Mar/26 4:00 PM,,proxy,slow,acc-1
SUP-2,101,Odd,text,Epic,Limbo,Low,02/Mar/26 3:05 PM,02/Mar/26 4:00 PM,,,,acc-1
"""  # noqa: E501
EXAMPLE = """Ticket,Subject,Text,Opened,Changed,Answered,Solved,State,Prio,Contract,VIP,Language,Extra,Internal note
A1,No VPN,Help,02.03.2026 09:00,02.03.2026 10:00,n/a,?,customer,A,gold,yes,de,kept,secret
"""


@pytest.mark.parametrize(
    ("name", "text", "expected", "refused"),
    [
        (
            "zendesk-csv",
            ZENDESK,
            [
                "zendesk:7 waiting_customer critical incident email 08:00 - vip,emea",
                "zendesk:8 resolved medium incident web 10:00 11:00 ",
            ],
            [],
        ),
        (
            "jira-csv",
            JIRA,
            ["jira:SUP-1 in_progress critical incident unknown 15:05 - proxy,slow"],
            ["column Status: 'Limbo' is not one of open, to do"],
        ),
        ("example", EXAMPLE, ["example:A1 waiting_customer critical incident import 08:00 - "], []),
    ],
)
def test_an_export_is_read(tmp_path: Path, name: str, text: str, expected: list[str], refused: list[str]) -> None:
    told = whole(source_plugin(name, mappings=MAPPINGS), written(tmp_path, text))
    assert [
        f"{t.key} {t.status} {t.priority} {t.type} {t.channel} {t.created_at:%H:%M} "
        f"{f'{t.resolved_at:%H:%M}' if t.resolved_at else '-'} {','.join(t.tags)}"
        for t in told.tickets
    ] == expected
    assert [r.reason[: len(said)] for r, said in zip(told.rejected, refused, strict=True)] == refused


def test_assignment_is_no_first_response(tmp_path: Path) -> None:
    ticket = whole(source_plugin("zendesk-csv", mappings=MAPPINGS), written(tmp_path, ZENDESK)).tickets[0]
    assert ticket.first_response_at is None
    assert ticket.external_metadata == {"Initially assigned at": "2026-03-02 09:05:00 +0100"}


def test_the_example_keeps_what_it_does_not_ignore(tmp_path: Path) -> None:
    ticket = whole(source_plugin("example", mappings=MAPPINGS), written(tmp_path, EXAMPLE)).tickets[0]
    assert (ticket.tier, ticket.vip, ticket.language, ticket.external_metadata) == (
        "enterprise", True, "de", {"Extra": "kept"},
    )  # fmt: skip
