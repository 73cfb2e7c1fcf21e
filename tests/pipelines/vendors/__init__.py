"""Jira, ServiceNow, Zendesk and Freshdesk on loopback: each answers as its documentation says."""

from tests.pipelines.vendors.bmc import Bmc
from tests.pipelines.vendors.freshdesk import Freshdesk
from tests.pipelines.vendors.jira import Jira, JiraDataCenter
from tests.pipelines.vendors.servicenow import ServiceNow
from tests.pipelines.vendors.system import MINUTE, START, TOKEN, Vendor, serving
from tests.pipelines.vendors.webhook import Webhook
from tests.pipelines.vendors.zendesk import Zendesk

VENDORS = {
    "jira": Jira,
    "jira-dc": JiraDataCenter,
    "servicenow": ServiceNow,
    "zendesk": Zendesk,
    "freshdesk": Freshdesk,
}

HANDLERS = {"servicenow": ServiceNow, "jira": Jira, "jira-dc": JiraDataCenter, "bmc": Bmc, "webhook": Webhook}

__all__ = [
    "HANDLERS", "MINUTE", "START", "TOKEN", "VENDORS", "Bmc", "JiraDataCenter", "ServiceNow", "Vendor", "Webhook",
    "serving",
]  # fmt: skip
