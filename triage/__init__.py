"""What is it about, how sure are we, what could we answer?"""
