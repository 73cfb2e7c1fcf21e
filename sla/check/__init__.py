"""Do the engines say what a worked case says?"""
