"""Where the pipeline reaches behind Snakemake's public interface."""
