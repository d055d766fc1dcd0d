"""The draw of this trial: its plan, its units and its record."""
