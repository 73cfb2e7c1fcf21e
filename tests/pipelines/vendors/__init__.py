"""Jira, ServiceNow, Zendesk and Freshdesk on loopback: each answers as its documentation says."""

from tests.pipelines.vendors.freshdesk import Freshdesk
from tests.pipelines.vendors.jira import Jira, JiraDataCenter
from tests.pipelines.vendors.servicenow import ServiceNow
from tests.pipelines.vendors.system import MINUTE, START, TOKEN, Vendor, serving
from tests.pipelines.vendors.zendesk import Zendesk

VENDORS = {
    "jira": Jira,
    "jira-dc": JiraDataCenter,
    "servicenow": ServiceNow,
    "zendesk": Zendesk,
    "freshdesk": Freshdesk,
}

__all__ = ["MINUTE", "START", "TOKEN", "VENDORS", "JiraDataCenter", "ServiceNow", "Vendor", "serving"]
