"""Jobs of Snakemake run as forks of one process that has imported the library."""
