"""When does it all run, and with which real parts?"""
