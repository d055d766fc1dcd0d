"""What a page holds, block by block, and how it becomes HTML, PDF and tables of other formats."""
