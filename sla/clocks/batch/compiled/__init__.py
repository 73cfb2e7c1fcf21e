"""The same backlog in machine code, where the optional compiler is installed.

1.0 µs of CPU a ticket, in NumPy 1.3 at 200,000 tickets and 1.4 at 1,000,000, with shuffled events (`benchmarks/sla.py
--text-ids --order shuffled`). Loading it costs a process 1.5 to 2 s of CPU, also when it was compiled before: what it
saves in five evaluations of a million tickets.
"""
