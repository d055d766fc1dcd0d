"""Who is who, where and when."""
