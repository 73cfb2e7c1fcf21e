"""What can a person at a terminal ask for, and how is it told?"""
