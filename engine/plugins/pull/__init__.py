"""Tickets fetched page by page from a vendor's REST API, each whole, in the words that its source plugin reads."""
