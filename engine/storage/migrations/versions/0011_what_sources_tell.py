"""How a ticket ended, an end promised for it alone, what its source's own SLA says, and what can't be measured."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "agreed_due_at": sa.DateTime(timezone=True),
    "outcome": sa.String(50),
    "source_verdict": sa.JSON(),
    "unknown": sa.JSON(),
}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("tickets", sa.Column(name, kind))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("tickets", name)
