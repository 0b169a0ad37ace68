"""From sources to corpus files, and from corpus files to the index."""
