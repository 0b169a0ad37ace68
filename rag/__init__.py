"""Retrieval-augmented answers: evidence in, checked and cited sentences out."""
