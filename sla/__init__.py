"""What did we promise, how much time is left, did we keep it?"""
