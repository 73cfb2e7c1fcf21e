"""Which real parts does this process work with?"""
