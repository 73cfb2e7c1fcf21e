"""The stages and the cycle: plain functions of the app and a batch, called by the CLI, notebooks and flows."""
