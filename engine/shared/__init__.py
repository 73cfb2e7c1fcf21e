"""What every room stands on, `engine.contracts` beside it: errors for people, policy files read strictly, columns of
stores, files of rows, and how sure a share is. Of the engine, `sla` and `triage` import these two and nothing else."""
