"""Settings from the environment and `.env`, read once, typed, and refused where they are wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import SettingsError

PREFIX = "GLUTE_"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f.]*:[0-9a-f.:]+")
_MODEL_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")
DEFAULT_EMBEDDER = "all-MiniLM-L6-v2"


class Settings(BaseSettings):
    """All settings; the README's table documents each. Secrets hide in `repr`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    model: str = ""
    model_base_url: str = ""
    model_api_key: SecretStr = SecretStr("")
    model_timeout_s: float = Field(default=30.0, gt=0, le=600)
    model_budget: int = Field(default=200_000, ge=0)
    """Tokens a day, prompt and reply together; 0 means without limit."""
    corpus: Path = Path("corpus")
    index: Path = Path(".index")
    chroma_url: str = ""
    embedder: str = DEFAULT_EMBEDDER
    reranker: str = ""
    verifier: str = ""
    allowed_origins: str = ""
    """Comma-separated origins (scheme://host[:port])."""
    rate_limit: str = "30/minute"
    data: Path = Path(".data")
    log_questions: Literal["on", "off"] = "off"
    admin_token: SecretStr = SecretStr("")

    @field_validator("model")
    @classmethod
    def _provider_and_name(cls, value: str) -> str:
        if value and not re.fullmatch(r"[\w.-]+:\S+", value):
            raise ValueError("must look like provider:name, for example openai:gpt-4o-mini")
        return value

    @field_validator("model_base_url", "chroma_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc):
            raise ValueError("must be an http:// or https:// address")
        return value.rstrip("/")

    @field_validator("embedder", "reranker", "verifier")
    @classmethod
    def _model_name_or_folder(cls, value: str) -> str:
        if value and not _MODEL_NAME.fullmatch(value) and not Path(value).is_dir():
            raise ValueError("is neither a model's name (owner/name) nor a folder that is there")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in filter(None, re.split(r"[,\s]+", value)):
            _origin(origin)
        return value

    @field_validator("rate_limit")
    @classmethod
    def _rate(cls, value: str) -> str:
        # The grammar is that of the `limits` library; parsing here makes a typo an error at start.
        from limits import parse_many

        rates = parse_many(value)
        if len(rates) != 1 or rates[0].amount < 1:
            raise ValueError("must be one rate of at least 1, for example 30/minute")
        return value

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins that may embed the widget, spelt as browsers send them."""
        return tuple(_origin(o) for o in re.split(r"[,\s]+", self.allowed_origins) if o)


def _origin(text: str) -> str:
    """An origin as a browser writes it: lower case, punycode, no slash, no default port.

    Strict, because it goes into headers: anything but scheme, host and port is a `ValueError`.
    """
    parts = urlsplit(text)
    try:
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError:  # UnicodeError is one: a label too long, a port out of range
        host, port = "", None
    bare = not (parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"))
    if parts.scheme not in _DEFAULT_PORTS or not bare or not _HOST.fullmatch(host):
        raise ValueError(f"{text!r} is not an origin like https://blog.example")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + ("" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}")


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and `.env`; keyword arguments that are not None win.

    Raises `SettingsError` naming every unknown or bad variable.
    """
    _refuse_unknown_variables()
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(
            f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')} "
            f"(got {e['input']!r})"
            for e in error.errors()
        )
        raise SettingsError(problems) from error


def _refuse_unknown_variables() -> None:
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    names = set(os.environ) | set(dotenv_values(".env"))
    unknown = sorted(n for n in names if n.upper().startswith(PREFIX) and n.upper() not in known)
    if unknown:
        raise SettingsError(
            f"unknown setting {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )
