"""A first protocol, proposed from the files of a trial: every guess is marked as one."""
