"""The protocol: a pre-analysis plan as data, read, validated and completed."""
