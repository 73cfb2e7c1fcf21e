"""What do the labelled texts teach, and how far can it be trusted?"""
