"""What each kind of error is outside Python: the exit code of a command, the status of an answer by HTTP."""

from collections.abc import Mapping

from engine.shared.errors import BadInput, Busy, Conflict, HelmdeskError, NotAllowed, NotFound, Unavailable

EXIT_CODES: Mapping[type[HelmdeskError], int] = {
    BadInput: 2, NotFound: 2, NotAllowed: 3, Conflict: 4, Unavailable: 5, Busy: 6,
}  # fmt: skip
HTTP_STATUSES: Mapping[type[HelmdeskError], int] = {
    BadInput: 422, NotFound: 404, NotAllowed: 403, Conflict: 409, Unavailable: 503, Busy: 503,
}  # fmt: skip


def code_of(error: HelmdeskError, codes: Mapping[type[HelmdeskError], int], *, otherwise: int) -> int:
    return next((code for kind, code in codes.items() if isinstance(error, kind)), otherwise)
