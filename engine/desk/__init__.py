"""What people do at the desk: load the ticket, decide by the rules, keep ticket and history together."""

from engine.desk.automations import Automations
from engine.desk.cases import CaseFile
from engine.desk.first_owners import own_assigned
from engine.desk.grants import Grants
from engine.desk.lessons import Lessons
from engine.desk.notices import Notices
from engine.desk.policies import Policies, read_policies
from engine.desk.reading import Reading
from engine.desk.tickets import Tickets
from engine.desk.workspace import Workspace

__all__ = ["Desk", "Policies", "own_assigned", "read_policies"]


class Desk(Reading, Tickets, CaseFile, Lessons, Grants, Workspace, Notices, Automations):
    """The use cases. Each is one decision and one transaction, and raises Conflict if somebody else was faster."""
