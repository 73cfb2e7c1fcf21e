"""What other systems may call: webhooks, allocation, SLA, triage and the desk, by HTTP."""
