"""What has to be closed, for `with`."""

from types import TracebackType
from typing import Self


class Closing:
    """Closes itself at the end of a `with`, however that ends."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
