"""The optional entailment model behind the checker: a sentence-transformers CrossEncoder."""

from __future__ import annotations

from typing import Any

from rag.cross_encoders import load_cross_encoder
from rag.errors import SettingsError
from rag.settings import Settings

_LABELS = {"entail": 0, "support": 0, "neutral": 1, "contradict": 2, "refute": 2}


class CrossEncoderEntailment:
    """Loads the model at its first use; the order of its labels comes from its own config."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._model: Any = None
        self._places: tuple[int, ...] = ()

    def judge(self, premise: str, hypothesis: str) -> tuple[float, float, float]:
        """(supports, neutral, contradicts), summing to 1."""
        import numpy as np

        if self._model is None:
            self.load()
        logits = np.asarray(
            self._model.predict([(premise, hypothesis)], activation_fn=_identity())
        ).reshape(-1)
        odds = np.exp(logits - logits.max())
        odds = odds / odds.sum()
        out = [0.0, 0.0, 0.0]
        for value, place in zip(odds, self._places, strict=True):
            out[place] += float(value)
        return out[0], out[1], out[2]

    def load(self) -> None:
        """Loads the model now; `SettingsError` where it cannot be."""
        model = load_cross_encoder("GLUTE_VERIFIER", self._name)
        self._places = label_places(dict(model.model.config.id2label), self._name)
        self._model = model


def open_entailment(settings: Settings) -> CrossEncoderEntailment | None:
    """The verifier that the settings name, if any; `SettingsError` where it cannot be loaded."""
    if not settings.verifier:
        return None
    verifier = CrossEncoderEntailment(settings.verifier)
    verifier.load()
    return verifier


def _identity() -> Any:
    import torch

    return torch.nn.Identity()


def label_places(id2label: dict[Any, str], name: str) -> tuple[int, ...]:
    """For each output of the model: 0 supports, 1 neutral, 2 contradicts."""
    places = []
    for _, label in sorted((int(k), v.lower()) for k, v in id2label.items()):
        negative = label.startswith(("not", "non"))
        place = next((p for key, p in _LABELS.items() if key in label), None)
        if place is None:
            raise SettingsError(
                f"GLUTE_VERIFIER {name!r} has the label {label!r}; use an entailment model whose "
                "labels are entailment, neutral and contradiction"
            )
        places.append(1 if negative else place)
    if 0 not in places:
        raise SettingsError(f"GLUTE_VERIFIER {name!r} has no entailment label; choose another")
    return tuple(places)
