"""A simulated trial of teacher-led learning."""
