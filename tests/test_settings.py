"""Settings: typed, refused by name where they are wrong, silent about secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import DEFAULT_EMBEDDER, load_settings


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.env` is read from the working folder: here there is none."""
    monkeypatch.chdir(tmp_path)


def test_defaults_need_nothing() -> None:
    settings = load_settings()
    assert (settings.model, settings.chroma_url, settings.reranker, settings.verifier) == ("",) * 4
    assert settings.embedder == DEFAULT_EMBEDDER
    assert (settings.corpus, settings.index) == (Path("corpus"), Path(".index"))
    assert (settings.rate_limit, settings.log_questions) == ("30/minute", "off")


def test_the_environment_is_read_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLUTE_INDEX", "there")
    monkeypatch.setenv("GLUTE_CORPUS", "words")
    settings = load_settings(index=Path("here"), corpus=None)
    assert (settings.index, settings.corpus) == (Path("here"), Path("words"))


def test_a_dotenv_file_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("GLUTE_RATE_LIMIT=5/minute\nGLUTE_INDEX=file\nOTHER=1\n", "utf-8")
    monkeypatch.setenv("GLUTE_INDEX", "environment")
    settings = load_settings()
    assert (settings.rate_limit, settings.index) == ("5/minute", Path("environment"))


def test_an_empty_variable_means_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLUTE_EMBEDDER", "")
    assert load_settings().embedder == DEFAULT_EMBEDDER


def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLUTE_MODLE", "openai:x")
    with pytest.raises(SettingsError, match=r"unknown setting GLUTE_MODLE;.*GLUTE_MODEL"):
        load_settings()


def test_an_unknown_variable_of_the_dotenv_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GLUTE_CORPSE=x\n", "utf-8")
    with pytest.raises(SettingsError, match="GLUTE_CORPSE"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GLUTE_MODEL", "gpt-4o"),
        ("GLUTE_MODEL_BASE_URL", "localhost:8000"),
        ("GLUTE_MODEL_TIMEOUT_S", "soon"),
        ("GLUTE_MODEL_TIMEOUT_S", "0"),
        ("GLUTE_MODEL_BUDGET", "-1"),
        ("GLUTE_CHROMA_URL", "ftp://x"),
        ("GLUTE_ALLOWED_ORIGINS", "blog.example"),
        ("GLUTE_ALLOWED_ORIGINS", "https://blog.example/page"),
        ("GLUTE_ALLOWED_ORIGINS", "https://*.blog.example"),
        ("GLUTE_ALLOWED_ORIGINS", "https://blog.example?x=1"),
        ("GLUTE_ALLOWED_ORIGINS", "https://me:pw@blog.example"),
        ("GLUTE_ALLOWED_ORIGINS", "https://blog.example:99999"),
        ("GLUTE_ALLOWED_ORIGINS", "https://blog.example;script-src"),
        ("GLUTE_RATE_LIMIT", "often"),
        ("GLUTE_RATE_LIMIT", "0/minute"),
        ("GLUTE_RATE_LIMIT", "30/minute;5/second"),
        ("GLUTE_LOG_QUESTIONS", "maybe"),
        ("GLUTE_EMBEDDER", "/nonexistent"),
        ("GLUTE_EMBEDDER", "./models/mine"),
        ("GLUTE_EMBEDDER", "owner/model/more"),
        ("GLUTE_RERANKER", "/nonexistent"),
        ("GLUTE_VERIFIER", "~/nothing here"),
    ],
)
def test_a_bad_value_is_named_with_what_was_given(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith(name)
    assert repr(value) in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["GLUTE_EMBEDDER", "GLUTE_RERANKER", "GLUTE_VERIFIER"])
def test_a_model_is_a_name_or_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for value in ("all-MiniLM-L6-v2", "owner/model_v1.5", str(tmp_path)):
        monkeypatch.setenv(name, value)
        assert getattr(load_settings(), name.removeprefix("GLUTE_").lower()) == value


def test_every_bad_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLUTE_MODEL", "x")
    monkeypatch.setenv("GLUTE_RATE_LIMIT", "x")
    with pytest.raises(SettingsError, match=r"GLUTE_MODEL: .*GLUTE_RATE_LIMIT: "):
        load_settings()


def test_secrets_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLUTE_ADMIN_TOKEN", "open-sesame")
    monkeypatch.setenv("GLUTE_MODEL_API_KEY", "sk-secret")
    settings = load_settings()
    shown = f"{settings!r} {settings} {settings.model_dump_json()}"
    assert "open-sesame" not in shown
    assert "sk-secret" not in shown
    assert settings.admin_token.get_secret_value() == "open-sesame"


def test_origins_are_parted_and_bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLUTE_ALLOWED_ORIGINS", "https://Blog.example:443/, http://localhost:8080 https://blög.example http://[::1]:80")
    assert load_settings().origins == (
        "https://blog.example", "http://localhost:8080", "https://xn--blg-tna.example", "http://[::1]",
    )  # fmt: skip
