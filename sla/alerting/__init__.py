"""Who has to be told about a clock, once each."""
