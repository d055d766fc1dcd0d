"""A document as HTML and PDF, and its tables as LaTeX, Markdown and Word."""
