"""What should a supervisor see and decide?"""
