"""What did people make of it, and what should be learned from that?"""
