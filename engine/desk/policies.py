"""Every policy the desk decides by, each read from its own file."""

from pathlib import Path
from typing import NamedTuple

from engine import (
    access,
    alert_matrix,
    cases,
    envelopes,
    escalations,
    flags,
    grant_review,
    lifecycle,
    notifications,
    ownership,
    priority,
    reminders,
    resolutions,
    rules,
)


class Policies(NamedTuple):
    """One of each; presets are chosen by name when they are read."""

    lifecycle: lifecycle.Preset
    ownership: ownership.OwnershipPolicy
    envelopes: envelopes.EnvelopePolicy
    flags: flags.FlagPolicy
    grants: resolutions.GrantPolicy
    grant_review: grant_review.GrantReviewPolicy
    priority: priority.Preset
    nudges: alert_matrix.Preset
    reminders: reminders.ReminderPolicy
    notifications: notifications.NotificationPolicy
    rules: rules.RulePolicy
    cases: cases.CasePolicy
    escalations: escalations.EscalationPolicy
    access: access.AccessPolicy


def read_policies(
    *files: Path,
    lifecycle_preset: str | None = None,
    priority_preset: str | None = None,
    alert_preset: str | None = None,
) -> Policies:
    """The policies of these files, each known by its name. Raises BadInput with file, key and reason."""
    at = {file.stem: file for file in files}
    return Policies(
        lifecycle=lifecycle.load(at["lifecycle"]).preset(lifecycle_preset or "canonical"),
        ownership=ownership.load(at["ownership"]),
        envelopes=envelopes.load(at["envelopes"]),
        flags=flags.load(at["flags"]),
        grants=resolutions.load(at["empowerment"]),
        grant_review=grant_review.load(at["calibration"]),
        priority=priority.load(at["priority"]).preset(priority_preset or "canonical"),
        nudges=alert_matrix.load(at["alert_matrix"]).preset(alert_preset or "canonical"),
        reminders=reminders.load(at["reminders"]),
        notifications=notifications.load(at["notifications"]),
        rules=rules.load(at["rules"]),
        cases=cases.load(at["cases"]),
        escalations=escalations.load(at["escalations"]),
        access=access.load(at["access"]),
    )
