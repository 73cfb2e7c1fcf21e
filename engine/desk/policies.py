"""Every policy the desk decides by, each read from its own file."""

from pathlib import Path
from typing import NamedTuple

from engine import (
    alert_matrix,
    envelopes,
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
    calibration: grant_review.CalibrationPolicy
    priority: priority.Preset
    alerts: alert_matrix.Preset
    reminders: reminders.ReminderPolicy
    notifications: notifications.NotificationPolicy
    rules: rules.RulePolicy


def load_policies(
    folder: str | Path,
    *,
    lifecycle_preset: str = "canonical",
    priority_preset: str = "canonical",
    alert_preset: str = "canonical",
) -> Policies:
    """The policies of a folder, such as data/policies. Raises BadInput for the first file that can't be used."""
    at = Path(folder)
    return Policies(
        lifecycle=lifecycle.load(at / "lifecycle.yaml").preset(lifecycle_preset),
        ownership=ownership.load(at / "ownership.yaml"),
        envelopes=envelopes.load(at / "envelopes.yaml"),
        flags=flags.load(at / "flags.yaml"),
        grants=resolutions.load(at / "empowerment.yaml"),
        calibration=grant_review.load(at / "calibration.yaml"),
        priority=priority.load(at / "priority.yaml").preset(priority_preset),
        alerts=alert_matrix.load(at / "alert_matrix.yaml").preset(alert_preset),
        reminders=reminders.load(at / "reminders.yaml"),
        notifications=notifications.load(at / "notifications.yaml"),
        rules=rules.load(at / "rules.yaml"),
    )
