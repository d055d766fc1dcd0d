"""What the results of all estimators share: estimates, references, intervals, families of tests."""
