"""The adapter: a linear map, learnt from how people ask, after which phrasings of one section lie close.

A sentence encoder places a question by all that it tells: the story around it, the slang, the person. The
corpus's own phrasings show which of that sets two sections apart. The map is trained to tell, for each
phrasing, its section by the other phrasings of it, as neighbourhood components analysis does
(Goldberger et al., 2004), and starts from no change at all. Questions that the corpus does not answer
are one more section.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np

from rag.types import Vectors

EPOCHS = 3
BATCH = 512
RATE = 2e-3
TEMPERATURE = 0.06
"""These four were chosen by how well other questions (`tuning-a` to `-d`) found their passages; the
figures are flat around them (2 to 6 epochs, rates 1e-3 to 4e-3, temperatures 0.04 to 0.1)."""

FEWEST = 50
"""Sections with phrasings below which nothing is learnt: a few would bend the space to themselves."""


def key_of(texts: Sequence[str], sections: Sequence[str]) -> str:
    """Changes with anything that the adapter is learnt from; one section for each text."""
    digest = sha256(f"{EPOCHS} {BATCH} {RATE} {TEMPERATURE} {FEWEST}".encode())
    for text, section in zip(texts, sections, strict=True):
        digest.update(f"{section}\0{text}\0".encode())
    return digest.hexdigest()[:24]


def fitted_adapter(vectors: Vectors, sections: Sequence[str]) -> Vectors:
    """Shape (d, d), to multiply rows by: the identity where there is too little to learn from.

    `vectors`: (phrasings, d), of length 1, each of the section named beside it.
    """
    _, numbers, sizes = np.unique(np.array(sections, dtype=object), return_inverse=True, return_counts=True)
    told = sizes[numbers] > 1  # a phrasing is told by the others of its section
    if int((sizes > 1).sum()) < FEWEST:
        return np.eye(vectors.shape[1], dtype=np.float32)
    _, numbers = np.unique(numbers[told], return_inverse=True)
    return _trained(np.ascontiguousarray(vectors[told]), numbers)


def _trained(vectors: Vectors, numbers: Any) -> Vectors:
    import torch

    rows, groups = torch.from_numpy(vectors), torch.from_numpy(numbers)
    adapter = torch.eye(vectors.shape[1], requires_grad=True)
    steps = torch.optim.Adam([adapter], lr=RATE)
    order = torch.Generator().manual_seed(0)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(rows), generator=order), BATCH):
            steps.zero_grad()
            _loss(rows, groups, adapter, batch).backward()
            steps.step()
    return np.asarray(adapter.detach().numpy(), dtype=np.float32)


def _loss(rows: Any, groups: Any, adapter: Any, batch: Any) -> Any:
    """How badly the batch's phrasings are told by the others: mean negative log-likelihood."""
    import torch

    adapted = torch.nn.functional.normalize(rows @ adapter, dim=1)
    near = adapted[batch] @ adapted.T / TEMPERATURE
    near[torch.arange(len(batch)), batch] = -torch.inf  # not by itself
    near = (near - near.amax(1, keepdim=True)).exp()
    sums = torch.zeros(len(batch), int(groups.max()) + 1).index_add(1, groups, near)
    likelihood = (sums + 1e-12).log() - (sums + 1e-12).sum(1, keepdim=True).log()
    return -likelihood[torch.arange(len(batch)), groups[batch]].mean()
