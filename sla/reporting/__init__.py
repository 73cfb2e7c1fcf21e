"""Did we keep our promises, by whom, why not, and what does it cost?"""
