"""Every ticket as it stood at the publication's instant."""

import dataframely as dy

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart


class Tickets(dy.Schema):
    ticket = col.ticket(is_published=False, primary_key=True)
    reference = col.reference()
    source = col.text("Name of the source that delivered it.")
    subject = col.text("Its title as it is now, whatever the publication's instant; may be empty.")
    type = col.text("`incident`, `request`, `change` or `problem`.")
    status = col.text(
        "`new`, `triage`, `in_progress`, `waiting_customer`, `waiting_internal`, `waiting_vendor`, `resolved` or "
        "`closed`."
    )
    priority = col.text("`critical`, `high`, `medium` or `low`.")
    tier = col.text("The customer's contract: `enterprise`, `business`, `standard` or `free`.")
    vip = col.yes_no("Whether the requester is a VIP.")
    escalated = col.yes_no("Whether an expert is asked for help and has not finished.")
    category = col.text("The source's own category.")
    product = col.text("The product confirmed by a person, else the one triage is sure of.", nullable=True)
    channel = col.text("How it came in: mail, chat, phone, …, or `unknown`.")
    language = col.text("Its language as the source names it.", nullable=True)
    group_id = col.text("The group that has it.", nullable=True)
    assignee_id = col.text("The agent last assigned to it.", nullable=True)
    owner_id = col.text("The agent who accepted it and keeps it; changes by exceptional transfer only.", nullable=True)
    requester_id = col.text("Who asked.", nullable=True)
    company_id = col.text("The customer for whom it was asked.", nullable=True)
    created_at = col.instant("When it was created at its source.")
    updated_at = col.instant("When something last happened to it; what the desk notes by itself does not count.")
    first_response_at = col.instant("When it was first answered.", nullable=True)
    resolved_at = col.instant("When it was resolved, if it has not been reopened since.", nullable=True)
    closed_at = col.instant("When it was closed, if it has not been reopened since.", nullable=True)
    outcome = col.text(
        "How it ended, if its source tells: `solved`, `cancelled`, `duplicate`, `merged`, `spam`, `deleted`, "
        "`machine_mail`; null while it is open.",
        nullable=True,
    )
    is_machine_mail = col.yes_no("Whether a machine seems to have written it: proposed as outcome `machine_mail`.")
    agreed_due_at = col.instant("An end promised for this ticket alone.", nullable=True)
    is_open = col.yes_no("Whether it is neither resolved nor closed.")


MARTS = {"tickets": Mart("What is the state of each ticket?", Tickets, lambda snapshot: snapshot.tickets)}
