"""Every setting, read once at start: the environment first, then `.env`, then the defaults.

Owns: the names `PAYRAIL_…` and their defaults. Reads: the environment, `.env` in the working folder
and in the home. Never: puts a value into an error, or a secret into a repr.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from payrail.domain.webhooks import AllowList
from payrail.errors import BadSettings

_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
#: Longest duration: a day. A longer wait is an outage, not a setting.
_DURATION_MS_MAX = 86_400_000
#: Shortest secret that people may give: 16 characters; made ones have 64.
_SECRET_CHARACTERS_MIN = 16
#: A listener on every address is reached at this one.
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def _own_url(host: str, port: object) -> str:
    """Where a listener of this house is reached from this machine."""
    host = _REACHED_AT.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def duration_ms(text: Any) -> int:
    """`500ms`, `5s`, `10m` or `1h` as milliseconds. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,8})(ms|s|m|h)", text.strip()) if isinstance(text, str) else None
    value = int(found[1]) * _UNIT_MS[found[2]] if found else 0
    if not 1 <= value <= _DURATION_MS_MAX:
        raise ValueError("must be a duration up to a day, such as 500ms, 5s, 10m or 1h")
    return value


def _given_ms(value: Any) -> int:
    """A duration as text, or milliseconds as code gives them."""
    return value if type(value) is int else duration_ms(value)


def _list_of_words(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(word for word in re.split(r"[,\s]+", value) if word)
    return value


DurationMs = Annotated[int, BeforeValidator(_given_ms), Field(ge=1, le=_DURATION_MS_MAX)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list_of_words)]


def _lasting(default: str, variable: str) -> Any:
    """A duration whose field tells the unit that its variable leaves out."""
    return Field(default=duration_ms(default), validation_alias=variable)


class Settings(BaseSettings):
    """The settings of one house. URLs are filled in from host and port when they are not given."""

    model_config = SettingsConfigDict(
        env_prefix="PAYRAIL_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    home: Path = Field(default_factory=Path.cwd)  # holds data/ and mailboxes/
    host: str = "127.0.0.1"
    api_port: Port = 8026
    console_port: Port = 3026
    vault_port: Port = 8027
    provider_port: Port = 8028
    vault_url: str = Field(default="", validate_default=True)
    provider_url: str = Field(default="", validate_default=True)
    api_url: str = Field(default="", validate_default=True)
    seed: int = Field(default=42, ge=0)
    bus: Literal["files"] = "files"
    durability: Literal["disk", "process"] = "disk"
    provider_timeout_ms: DurationMs = _lasting("5s", "payrail_provider_timeout")
    request_budget_ms: DurationMs = _lasting("10s", "payrail_request_budget")
    settle_every_ms: DurationMs = _lasting("1h", "payrail_settle_every")
    reconcile_every_ms: DurationMs = _lasting("1h", "payrail_reconcile_every")
    webhook_allow: Words = ()
    webhook_schedule: Literal["standard", "demo"] = "standard"
    vault_key: SecretStr = SecretStr("")  # empty: made at first start, see security/secrets.py
    house_secret: SecretStr = SecretStr("")
    internal_secret: SecretStr = SecretStr("")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    @field_validator("webhook_allow")
    @classmethod
    def _callable(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        AllowList(words)
        return words

    @field_validator("vault_url", "provider_url", "api_url")
    @classmethod
    def _reachable(cls, url: str, info: ValidationInfo) -> str:
        """The URL without a trailing slash; when it is empty, that of our own listener."""
        if url:
            if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
                raise ValueError("must be a URL such as http://vault:8027")
            return url.rstrip("/")
        port = info.data.get(f"{(info.field_name or '').removesuffix('_url')}_port", "")
        return _own_url(info.data.get("host", ""), port)

    @field_validator("vault_key", "house_secret", "internal_secret")
    @classmethod
    def _strong(cls, given: SecretStr) -> SecretStr:
        text = given.get_secret_value()
        if text and not re.fullmatch(rf"[!-~]{{{_SECRET_CHARACTERS_MIN},512}}", text):
            raise ValueError(
                f"must be {_SECRET_CHARACTERS_MIN} to 512 printable characters without spaces;"
                " leave it empty to have one made"
            )
        return given

    @property
    def console_url(self) -> str:
        """Where people look at the house; no actor asks it for anything."""
        return _own_url(self.host, self.console_port)

    @property
    def fsync(self) -> bool:
        """Whether an answer waits for the disk."""
        return self.durability == "disk"


def load_settings(home: Path | str | None = None) -> Settings:
    """Read the settings; `home` beats `PAYRAIL_HOME`. A `.env` in the home beats one in the working
    folder. Raises BadSettings with one line per variable that cannot be used."""
    here = Path.cwd() / ".env"
    chosen = {} if home is None else {"home": Path(home)}
    try:
        found = Settings(_env_file=here, **chosen)  # type: ignore[arg-type]
        at_home = found.home / ".env"
        if at_home == here or not at_home.is_file():
            return found
        return Settings(_env_file=(here, at_home), home=found.home)
    except ValidationError as error:
        raise BadSettings("\n".join(_complaints(error))) from None
    except (SettingsError, UnicodeDecodeError):
        raise BadSettings(".env: must be UTF-8 text of lines NAME=value") from None


def _complaints(error: ValidationError) -> list[str]:
    """One line per variable: its name and what would be right, never what it holds."""
    return [
        f"{_variable(str(found['loc'][0]))}: {found['msg'].removeprefix('Value error, ')}"
        for found in error.errors(include_input=False, include_url=False, include_context=False)
    ]


def _variable(place: str) -> str:
    name = place.upper()
    return name if name.startswith("PAYRAIL_") else f"PAYRAIL_{name}"
