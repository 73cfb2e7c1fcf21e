"""What else is there to know about this ticket and its customer?"""
