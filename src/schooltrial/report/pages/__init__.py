"""The pages of a study, each assembled from sections: report, summary, data quality, monitoring."""
