"""What people do at the desk: load the ticket, decide by the rules, keep ticket and history together."""

from engine.desk.day import Day
from engine.desk.grants import Grants
from engine.desk.help import Help
from engine.desk.policies import Policies, load_policies
from engine.desk.sweeps import Sweeps
from engine.desk.tickets import Tickets

__all__ = ["Desk", "Policies", "load_policies"]


class Desk(Tickets, Help, Grants, Day, Sweeps):
    """The use cases. Each is one decision and one transaction, and raises Conflict if somebody else was faster."""
