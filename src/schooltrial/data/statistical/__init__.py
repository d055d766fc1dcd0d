"""Files of statistical packages: Stata, SPSS, SAS and Parquet, with labels and types."""
