"""The same backlog in machine code, where the optional compiler is installed.

1.0 µs of CPU a ticket in place of 1.3 to 1.4, 1.3 to 1.4 times as fast, at 200,000 and at 1,000,000 tickets with shuffled
events (`benchmarks/sla.py --text-ids --order shuffled`). Loading it costs a process 1.5 to 2 s of CPU once, also
when it was compiled before: what it saves over five evaluations of a million tickets.
"""
