"""What do our articles say about it, and how well do we find it?"""
