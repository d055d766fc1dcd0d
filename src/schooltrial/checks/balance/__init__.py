"""Whether the groups were alike before the programme."""
