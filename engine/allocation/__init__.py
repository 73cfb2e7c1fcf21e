"""Which group should get this ticket, and why that one and not the others?"""
