"""What Snakemake alone needs."""
