"""The parts of a protocol compared: every name has a referent, and every key does something."""
