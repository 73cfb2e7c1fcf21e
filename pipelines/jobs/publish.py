"""Build every mart from a snapshot and put the publication in force."""

from pipelines import marts
from pipelines.app.container import App
from pipelines.marts import chain_heads, registry
from pipelines.snapshot import Snapshot


def publish(app: App, snapshot: Snapshot) -> marts.Publication:
    """Publish all marts as of the snapshot's instant.

    Raises BadInput for an emptied store, and RuleBroken for a mart that is not as its rules say; what was published
    before stays in force.
    """
    folder = app.settings.marts_folder
    chain_heads.refuse_emptied(app.store, folder)
    frames = registry.build(snapshot)
    heads = chain_heads.to_publish(
        app.store, folder, warn=lambda reason: app.log.warning("chain heads lost", reason=reason)
    )
    return marts.publish(frames, folder, as_of=snapshot.as_of, at=app.now(), heads=heads, time_zone=snapshot.time_zone)
