"""The published tables: the reader's question each answers, and its columns."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

INSTANT = pl.Datetime("us", "UTC")
TEXT, WHOLE, NUMBER, YES_NO = pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()


class Mart(NamedTuple):
    """A published table: the reader's question it answers, and its columns."""

    question: str
    schema: pl.Schema


def _schema(**columns: pl.DataType) -> pl.Schema:
    return pl.Schema(columns)


def conform(mart: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The mart's declared columns and types, from a frame that has at least its columns."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in MARTS[mart].schema.items())


FACTORS = ("availability", "bandwidth", "velocity", "performance", "proximity", "cultural_fit", "timezone")

MARTS: Mapping[str, Mart] = {
    "tickets": Mart(
        "What is the state of each ticket?",
        _schema(
            ticket=TEXT, reference=TEXT, source=TEXT, subject=TEXT, type=TEXT, status=TEXT, priority=TEXT, tier=TEXT,
            vip=YES_NO, escalated=YES_NO, category=TEXT, product=TEXT, channel=TEXT, language=TEXT, group_id=TEXT,
            assignee_id=TEXT, owner_id=TEXT, requester_id=TEXT, company_id=TEXT, created_at=INSTANT,
            updated_at=INSTANT, first_response_at=INSTANT, resolved_at=INSTANT, closed_at=INSTANT, is_open=YES_NO,
        ),
    ),
    "sla_clocks": Mart(
        "What was promised on each clock, what was used, what is left?",
        _schema(
            ticket=TEXT, reference=TEXT, clock=TEXT, window=WHOLE, is_current=YES_NO, state=TEXT, target=WHOLE,
            elapsed=WHOLE, paused=WHOLE, remaining=WHOLE, due_at=INSTANT, window_start=INSTANT, stopped_at=INSTANT,
            is_paused=YES_NO, policy=TEXT, calendar=TEXT, priority=TEXT, tier=TEXT, type=TEXT, group_id=TEXT,
            company_id=TEXT, agent_id=TEXT, agent_because=TEXT, week=pl.Date(),
        ),
    ),
    "attainment": Mart(
        "Did we keep our promises, by clock and dimension?",
        _schema(
            clock=TEXT, dimension=TEXT, value=TEXT, clocks=WHOLE, met=WHOLE, breached=WHOLE, at_risk=WHOLE,
            running=WHOLE, share_met=NUMBER, low=NUMBER, high=NUMBER,
        ),
    ),
    "response_times": Mart(
        "How long do first answers and solutions take, by clock and dimension?",
        _schema(
            clock=TEXT, dimension=TEXT, value=TEXT, stopped=WHOLE, mean_seconds=NUMBER, median_seconds=NUMBER,
            promised=WHOLE, mean_business_seconds=NUMBER, median_business_seconds=NUMBER,
        ),
    ),
    "reopens": Mart(
        "How often is what we resolved reopened, by dimension?",
        _schema(
            dimension=TEXT, value=TEXT, resolved=WHOLE, reopened=WHOLE, share_reopened=NUMBER, low=NUMBER, high=NUMBER,
        ),
    ),
    "time_in_state": Mart(
        "Where do tickets spend their time, by status and dimension?",
        _schema(
            status=TEXT, dimension=TEXT, value=TEXT, tickets=WHOLE, visits=WHOLE, total_seconds=WHOLE,
            mean_seconds=NUMBER, median_seconds=NUMBER, on_calendar=WHOLE, total_business_seconds=WHOLE,
            mean_business_seconds=NUMBER, median_business_seconds=NUMBER,
        ),
    ),
    "breach_reasons": Mart(
        "Why was each promise broken?",
        _schema(
            ticket=TEXT, reference=TEXT, clock=TEXT, window=WHOLE, reason=TEXT, picked_up_at=INSTANT,
            seconds_to_pick_up=WHOLE, seconds_waiting_internal=WHOLE, seconds_in_work=WHOLE, over_by=WHOLE,
        ),
    ),
    "credited_breaches": Mart(
        "Which breach gives which credit?",
        _schema(
            ticket=TEXT, reference=TEXT, clock=TEXT, window=WHOLE, company_id=TEXT, month=pl.Date(), priority=TEXT,
            times_target=NUMBER, credit_percent=NUMBER, is_final=YES_NO, preset=TEXT,
        ),
    ),
    "sla_credits": Mart(
        "What do we owe each customer for the breaches of a month?",
        _schema(
            company_id=TEXT, month=pl.Date(), breaches=WHOLE, still_running=WHOLE, summed_percent=NUMBER,
            credit_percent=NUMBER, is_capped=YES_NO, preset=TEXT,
        ),
    ),
    "names": Mart(
        "What are the groups, agents and customers called?",
        _schema(dimension=TEXT, value=TEXT, name=TEXT),
    ),
    "work_queue": Mart(
        "What should be worked on next?",
        _schema(
            ticket=TEXT, reference=TEXT, subject=TEXT, status=TEXT, priority=TEXT, tier=TEXT, vip=YES_NO, score=NUMBER,
            section=TEXT, sla_state=TEXT, next_clock=TEXT, next_due_at=INSTANT, seconds_left=WHOLE, product=TEXT,
            confidence=NUMBER, needs_review=YES_NO, group_id=TEXT, group_name=TEXT, owner_id=TEXT,
            has_suggestion=YES_NO,
            created_at=INSTANT,
        ),
    ),
    "allocations": Mart(
        "Which group should get each ticket, and why?",
        _schema(
            ticket=TEXT, reference=TEXT, decided_at=INSTANT, outcome=TEXT, group_id=TEXT, group_name=TEXT,
            composite=NUMBER, **dict.fromkeys(FACTORS, NUMBER), rationale=TEXT, policy=TEXT,
        ),
    ),
    "group_load": Mart(
        "How full is each group once the backlog is allocated?",
        _schema(
            group_id=TEXT, group_name=TEXT, status=TEXT, capacity=WHOLE, load_before=WHOLE, allocated=WHOLE,
            load_after=WHOLE, utilisation=NUMBER,
        ),
    ),
    "classifications": Mart(
        "What did triage say about each ticket, and how sure was it?",
        _schema(
            ticket=TEXT, product=TEXT, urgency=TEXT, confidence=NUMBER, needs_review=YES_NO, runner_up=TEXT,
            runner_up_confidence=NUMBER, reasoning=TEXT, model_used=TEXT, prompt_hash=TEXT, latency_ms=WHOLE,
            prompt_tokens=WHOLE, completion_tokens=WHOLE, cost=NUMBER, created_at=INSTANT,
        ),
    ),
    "confidence": Mart(
        "How is confidence spread, and what goes to a person?",
        _schema(lower=NUMBER, upper=NUMBER, tickets=WHOLE, needs_review=WHOLE),
    ),
    "reviews": Mart(
        "What did people say where triage was asked to be checked, and was it right?",
        _schema(
            ticket=TEXT, reference=TEXT, said=TEXT, label=TEXT, is_right=YES_NO, confidence=NUMBER, model_used=TEXT,
            answered_by=TEXT, note=TEXT, answered_at=INSTANT,
        ),
    ),
    "calibration": Mart(
        "When triage says 80 %, how often do people agree?",
        _schema(
            model_used=TEXT, lower=NUMBER, upper=NUMBER, answered=WHOLE, agreed=WHOLE, mean_confidence=NUMBER,
            share_agreed=NUMBER, low=NUMBER, high=NUMBER,
        ),
    ),
    "cost_ledger": Mart(
        "What did each model do each day, how long did it take, what did it cost (US dollars)?",
        _schema(
            day=pl.Date(), operation=TEXT, model_used=TEXT, tickets=WHOLE, mean_latency_ms=NUMBER,
            p95_latency_ms=NUMBER, prompt_tokens=WHOLE, completion_tokens=WHOLE, cost=NUMBER,
        ),
    ),
    "draft_feedback": Mart(
        "Which drafts were accepted: by model, label and article cited?",
        _schema(
            dimension=TEXT, value=TEXT, drafts=WHOLE, sent=WHOLE, edited=WHOLE, rejected=WHOLE, accepted=WHOLE,
            share_accepted=NUMBER, low=NUMBER, high=NUMBER, mean_distance=NUMBER,
        ),
    ),
    "unhelpful_articles": Mart(
        "Which articles never help?",
        _schema(article_id=TEXT, cited=WHOLE, judged=WHOLE, accepted=WHOLE, why=TEXT),
    ),
    "coverage_gaps": Mart(
        "What should be written next: tickets of one meaning that no article covers?",
        _schema(place=WHOLE, about=TEXT, tickets=WHOLE, examples=TEXT),
    ),
    "suggestions": Mart(
        "What would we answer, from which sources?",
        _schema(
            ticket=TEXT, text=TEXT, grounded=YES_NO, citations=TEXT, macros=TEXT, model_used=TEXT, created_at=INSTANT
        ),
    ),
    "enrichments": Mart(
        "What do a ticket's text and facts tell beside its product?",
        _schema(
            ticket=TEXT, reference=TEXT, language=TEXT, language_confidence=NUMBER, complexity=NUMBER,
            complexity_parts=TEXT, error_codes=TEXT, sentiment=NUMBER, sentiment_phrases=TEXT, urgency=TEXT,
            urgency_reasons=TEXT, suggested_priority=TEXT, past_cases=WHOLE, past_cases_same_product=WHOLE,
            last_case=TEXT, created_at=INSTANT,
        ),
    ),
    "related_tickets": Mart(
        "Which earlier ticket may each ticket belong to, and why?",
        _schema(
            ticket=TEXT, reference=TEXT, other=TEXT, other_reference=TEXT, other_subject=TEXT, other_status=TEXT,
            other_created_at=INSTANT, kind=TEXT, similarity=NUMBER, reason=TEXT, created_at=INSTANT,
        ),
    ),
    "customers": Mart(
        "How is each customer doing, and why?",
        _schema(
            company_id=TEXT, name=TEXT, tier=TEXT, segment=TEXT, region=TEXT, billing_status=TEXT, cases=WHOLE,
            open_cases=WHOLE, promises=WHOLE, breached=WHOLE, complaints=WHOLE, health=TEXT, because=TEXT,
        ),
    ),
    "alerts": Mart(
        "Which warnings and breaches were raised, once each?",
        _schema(
            ticket=TEXT, reference=TEXT, clock=TEXT, alert_type=TEXT, level=WHOLE, state=TEXT, triggered_at=INSTANT,
            deadline=INSTANT, remaining_seconds=NUMBER,
        ),
    ),
    "volume": Mart(
        "How many tickets came in each day, how many were solved or closed, how many were open at its end?",
        _schema(day=pl.Date(), created=WHOLE, resolved=WHOLE, open_at_end=WHOLE),
    ),
    "rejected": Mart(
        "Which rows could not be taken in, and why?",
        _schema(source=TEXT, origin=TEXT, row=WHOLE, reason=TEXT),
    ),
}  # fmt: skip
