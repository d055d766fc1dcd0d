"""The flow of schools and people through the trial (CONSORT)."""
