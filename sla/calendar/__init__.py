"""When are we at work: business calendars, alone or many at once."""
