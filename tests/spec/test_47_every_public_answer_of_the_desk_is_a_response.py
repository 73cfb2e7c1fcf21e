"""Asked at 16:00 and again 16:30, answered at 17:00: a reply time of one hour."""

from tests.sla.timelines import run

POLICY = [{"first_response": "4 hours", "next_reply": "2 hours", "next_response": "4 hours"}]
STORY = """
Tue 09:10 response
Tue 16:00 customer_message
Tue 16:30 customer_message
Tue 17:00 response
"""


def test_one_hour_from_the_first_question_to_the_answer() -> None:
    row = run(POLICY, STORY, as_of="Tue 17:30")["next_reply", 1]
    assert (row["state"], row["elapsed"]) == ("met", 3600)


def test_the_cadence_begins_anew_with_each_answer() -> None:
    rows = run(POLICY, STORY, as_of="Tue 18:00")
    assert rows["next_response", 1]["state"] == "breached"
    assert (rows["next_response", 2]["state"], rows["next_response", 2]["elapsed"]) == ("on_track", 3600)
