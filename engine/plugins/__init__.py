"""How do tickets come in from any system, and how do decisions get back out?"""
