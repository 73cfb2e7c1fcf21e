"""The owner moves only by a transfer that is recorded in the same transaction: the database itself refuses another."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

REFUSAL = "an owner never changes without a recorded transfer"
MOVED = "OLD.owner_id IS NOT NULL AND NEW.owner_id IS {distinct} OLD.owner_id"
UNRECORDED = (
    "NOT EXISTS (SELECT 1 FROM events WHERE ticket_id = NEW.id AND version > OLD.version AND version <= NEW.version "
    "AND kind = 'transferred' AND value = NEW.owner_id)"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION owner_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {UNRECORDED} THEN "
            f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $$"
        )
        when = MOVED.format(distinct="DISTINCT FROM")
        op.execute(
            f"CREATE TRIGGER owner_stays BEFORE UPDATE ON tickets FOR EACH ROW WHEN ({when}) "
            "EXECUTE FUNCTION owner_stays()"
        )
        return
    refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    when = f"{MOVED.format(distinct='NOT')} AND {UNRECORDED}"
    op.execute(f"CREATE TRIGGER owner_stays BEFORE UPDATE OF owner_id ON tickets FOR EACH ROW WHEN {when} {refuse}")
    # INSERT OR REPLACE deletes the row without an update or, for triggers, a delete.
    replaced = "EXISTS (SELECT 1 FROM tickets WHERE id = NEW.id AND owner_id IS NOT NULL)"
    op.execute(f"CREATE TRIGGER owner_is_not_replaced BEFORE INSERT ON tickets FOR EACH ROW WHEN {replaced} {refuse}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION owner_stays() CASCADE")
        return
    for name in ("owner_stays", "owner_is_not_replaced"):
        op.execute(f"DROP TRIGGER {name}")
