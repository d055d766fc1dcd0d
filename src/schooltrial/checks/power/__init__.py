"""What the study could see, at each stage."""
