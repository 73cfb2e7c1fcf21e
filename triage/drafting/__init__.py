"""What could we answer, with every sentence tied to its source?"""
