"""Sheets of Excel workbooks, with their cells as they are shown."""
