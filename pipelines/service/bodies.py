"""What bodies and answers have in common: closed to unknown keys, exact in their types."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


class Closed(BaseModel):
    """A key that is not its own is refused; so is `false` for a number, or a number for text."""

    model_config = ConfigDict(extra="forbid")


def _written(value: Any) -> Any:
    if not isinstance(value, str | datetime):
        raise ValueError("an instant is text such as 2026-03-02T09:15:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
"""With its zone; a number is none."""
Name = Annotated[str, Field(min_length=1, max_length=300, description="Key (source:id), reference or external id.")]


def example(*bodies: dict[str, Any]) -> ConfigDict:
    """A model's configuration that shows such bodies in the OpenAPI."""
    return ConfigDict(json_schema_extra={"examples": list(bodies)})
