"""How much time is used and left: one ticket read aloud, a whole backlog by columns, and the ledger behind a clock."""
