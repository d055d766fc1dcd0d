"""What Snakemake loads to tell its events: a folder on its path, with one plugin in it."""
