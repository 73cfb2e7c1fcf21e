"""The few ways a request can be wrong; each says what, which and what to do next.

`pipelines.cli` maps every kind to an exit code in one place. Anything else that is raised is a bug and stays loud.
"""


class HelmdeskError(Exception):
    """Base of all errors meant for people: printed as one line, without a traceback."""


class NotAllowed(HelmdeskError):
    """A rule of the desk forbids it: wrong actor, wrong state, wrong moment."""


class NotFound(HelmdeskError):
    """There is no such ticket, agent, group or file."""


class Conflict(HelmdeskError):
    """Somebody else was faster: load again and decide again."""


class BadInput(HelmdeskError):
    """A file, row, column, policy or setting that can't be used; nothing of it was applied."""


class Unavailable(HelmdeskError):
    """A real part (database, index, model, server) does not answer; says which and the embedded alternative."""


class Busy(HelmdeskError):
    """Somebody else does this work on this store now; says who since when, and nothing was done."""
