"""The form of a protocol: YAML, its schema, and keys that were renamed."""
