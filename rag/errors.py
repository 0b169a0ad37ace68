"""What can go wrong, as a tree.

RagError
├── SettingsError            an environment variable or option is unknown or has a bad value
├── QuestionError            the question cannot be taken: empty, too long, not text
├── CorpusError              a file of the corpus cannot be read as what it should be
├── IndexMissingError        no index where one is needed
├── IndexMismatchError       the index was built under other settings
└── ModelUnavailableError    the chat model is away, too slow, over budget, or cut off
    (`retryable` says whether the same call may succeed a moment later)

Messages say what is wrong and what to do next. Commands map `RagError` to exit codes: bad input
(Settings, Question, Corpus) is 2, the rest 1.
"""

from __future__ import annotations


class RagError(Exception):
    """Root of all errors that are reported to people in one line."""

    exit_code = 1


class SettingsError(RagError):
    exit_code = 2


class QuestionError(RagError):
    exit_code = 2


class CorpusError(RagError):
    exit_code = 2


class IndexMissingError(RagError):
    pass


class IndexMismatchError(RagError):
    pass


class ModelUnavailableError(RagError):
    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable
