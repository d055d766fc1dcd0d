"""Where the table lies in a file: its header, and the notes below it."""
