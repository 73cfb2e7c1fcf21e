"""The jobs as Prefect flows: thin wraps, a batch at a time, never one run per ticket."""
