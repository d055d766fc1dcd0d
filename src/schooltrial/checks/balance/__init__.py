"""Whether the arms were alike before the programme."""
