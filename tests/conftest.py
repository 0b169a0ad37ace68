"""What the tests share: the repository's index, a small one, and a closed door to the network.

The repository's own `.index` is brought up to date once a session and only read after that; its
exported model serves the small indexes too, through a link, so that nothing is exported twice.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from rag.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parent.parent
hypothesis_settings.register_profile("same every time", derandomize=True, deadline=None, max_examples=60)
hypothesis_settings.load_profile("same every time")

SMALL_CORPUS = Path(__file__).resolve().parent / "corpus"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest goes first: two processes that share the files then end together."""
    items.sort(key=lambda item: item.path.name != "test_question_sets.py")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """The developer's own GLUTE_ variables must not change what the tests see."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.upper().startswith(PREFIX)]:
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for another machine fails, and says which."""
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))


def _guarded(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(address[0]):
            raise RuntimeError(f"a test tried to connect to {address!r}")
        return connect(self, address)

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def settings_for(corpus: Path, index: Path, **others: Any) -> Settings:
    """Settings of these two folders, whatever `.env` says."""
    return Settings(_env_file=None, corpus=corpus, index=index, **others)  # type: ignore[call-arg]


@pytest.fixture(scope="session")
def index_folder() -> Path:
    """The repository's `.index`, up to date with its corpus; read it, never write it."""
    from ingest.index import update_index

    # Named relatively, as `make run` does: the manifest keeps the corpus folder as it was given.
    with contextlib.chdir(ROOT):
        update_index(settings_for(Path("corpus"), Path(".index")))
    return ROOT / ".index"


@pytest.fixture(scope="session")
def coach(index_folder: Path) -> Any:
    """A coach in quote mode over the repository's index."""
    from rag.answering import Coach

    return Coach(settings_for(ROOT / "corpus", index_folder))


@pytest.fixture(scope="session")
def exported_models() -> Path:
    """The `models` folder with the default embedder in it, exported where it was not yet."""
    from rag.encoding import ensure_exported
    from rag.settings import DEFAULT_EMBEDDER

    models = ROOT / ".index" / "models"
    ensure_exported(models, DEFAULT_EMBEDDER)
    return models


@pytest.fixture(scope="session")
def built_once(exported_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `corpus` and its `index`, to be copied: see `small_index`."""
    from ingest.index import update_index

    folder = tmp_path_factory.mktemp("small")
    shutil.copytree(SMALL_CORPUS, folder / "corpus")
    (folder / "index").mkdir()
    (folder / "index" / "models").symlink_to(exported_models, target_is_directory=True)
    update_index(settings_for(folder / "corpus", folder / "index"))
    return folder


@pytest.fixture
def small_index(built_once: Path, tmp_path: Path) -> Settings:
    """A test's own copy of the small corpus and its index, to do with as it likes."""
    for name in ("corpus", "index"):
        shutil.copytree(built_once / name, tmp_path / name, symlinks=True)
    return settings_for(tmp_path / "corpus", tmp_path / "index")


@pytest.fixture(scope="session")
def small_retriever(built_once: Path) -> Any:
    """The hybrid retriever over the small corpus; read only."""
    from rag.library import open_library
    from rag.retrieval import HybridRetriever

    return HybridRetriever(open_library(settings_for(built_once / "corpus", built_once / "index")))


@pytest.fixture(scope="session")
def embedder(exported_models: Path) -> Any:
    """The real embedder, as it serves."""
    from rag.encoding import model_folder, open_embedder
    from rag.settings import DEFAULT_EMBEDDER

    return open_embedder(model_folder(exported_models, DEFAULT_EMBEDDER))
