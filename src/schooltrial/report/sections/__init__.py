"""The sections of the report, one module each, from the evidence of a study."""
