"""The effect on compliers by two-stage least squares, and sets that weak instruments allow."""
