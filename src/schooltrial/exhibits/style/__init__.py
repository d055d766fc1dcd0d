"""How all exhibits look."""
