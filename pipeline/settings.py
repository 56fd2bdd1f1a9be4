"""Settings: every knob, from ``HAULWATCH_*`` or a TOML file, validated once.

Precedence: environment, then the file that ``HAULWATCH_CONFIG`` names (default ``haulwatch.toml``
in the working folder, if there is one), then the defaults below.
"""

from __future__ import annotations

import difflib
import ipaddress
import logging
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pipeline.errors import HomeError, SettingsError

PREFIX = "HAULWATCH_"
CONFIG_VARIABLE = PREFIX + "CONFIG"
DEFAULT_CONFIG = "haulwatch.toml"
#: Bytes of the units of a size.
_UNITS = {
    name: base ** (power + 1)
    for base, mark in ((1_000, "B"), (1_024, "iB"))
    for power, name in enumerate(letter + mark for letter in "KMGT")
}
#: Variables whose values no message may show.
SECRETS = (PREFIX + "NOTIFY", PREFIX + "S3_SECRET")


#: Below this DuckDB cannot even begin.
LEAST_MEMORY = 32_000_000


def _bytes(size: str) -> int:
    """Bytes of a size like 4GB."""
    number, unit = re.fullmatch(r"([\d.]+)\s?(\w+)", size).groups()  # type: ignore[union-attr]
    return int(float(number) * _UNITS[unit])


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone (try Asia/Makassar)") from error
    return name


class Settings(BaseSettings):
    """What a site can decide. Each field's description is its line in the README."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, allow_inf_nan=False
    )

    home: Path = Field(Path("var"), description="Folder of everything that Haulwatch writes.")
    raw: str | None = Field(
        None, description="Raw files, if not `home/raw`: a folder, or `s3://bucket/prefix`."
    )
    lake: str | None = Field(
        None,
        description="`clean`, `analytics` and `quarantine`, if not in the home: a folder, or"
        " `s3://bucket/prefix`.",
    )
    cache_gb: float = Field(
        10, gt=0, description="Room in the home for copies of what pages read, of a lake on S3."
    )
    ledger: str | None = Field(
        None, description="SQLAlchemy URL of the ledger, if not `home/ledger.db`."
    )
    s3_endpoint: str | None = Field(None, description="Address of the S3 server, if not AWS.")
    s3_key: str | None = Field(None, description="S3 access key.")
    s3_secret: SecretStr | None = Field(None, description="S3 secret key.")
    s3_region: str | None = Field(None, description="S3 region.")
    memory_limit: str = Field(
        "4GB", description="Most memory of DuckDB in one process, and of a compaction in all."
    )
    threads: int = Field(
        default_factory=lambda: max(1, os.cpu_count() or 1),
        ge=1,
        le=256,
        description="Processes that read raw files, and DuckDB's threads. Default: the cores.",
    )
    answer_limit: str = Field(
        "4GB",
        description="Most room on disk of one answer of `haulwatch sql`, and of what it needs on"
        " the way to it.",
    )
    lease_seconds: float = Field(
        60, ge=2, le=86_400, description="A claim that is not renewed for so long is free again."
    )
    gc_grace_seconds: float = Field(
        86_400, ge=1, description="Files nobody refers to are kept for so long before gc."
    )
    keep_clean_days: int | None = Field(
        None,
        ge=7,
        le=36_500,
        description="Rows of `clean` are kept for so many days after theirs, and until their marts"
        " are built. Not set: for ever. Raw files are never touched.",
    )
    keep_marts_days: int | None = Field(
        None,
        ge=7,
        le=36_500,
        description="The same for marts: at least as long as the rows they are made of.",
    )
    keep_quarantine_days: int | None = Field(
        None, ge=7, le=36_500, description="The same for the bytes of lines in quarantine."
    )
    backups_kept: int = Field(
        7,
        ge=0,
        le=1_000,
        description="The worker copies the ledger into the lake's `backups/` once a day, and keeps"
        " so many copies. 0: none.",
    )
    keep_operator_days: int = Field(
        30,
        ge=1,
        le=36_500,
        description="Fatigue cases that nobody confirmed are unlinked from their operators so many"
        " days after their production day.",
    )
    query_seconds: float = Field(
        60, gt=0, description="A query is stopped after so long; less than half the grace."
    )
    zone: str = Field("Asia/Makassar", description="Time zone of districts not named in ZONES.")
    zones: dict[str, str] = Field(
        {}, description='Time zones by district: {"MLKB": "Asia/Jakarta"}'
    )
    shift_start: dict[str, str] = Field(
        {}, description='Start of shift 1 by district: {"MLKB": "06:30"}; others 06:00.'
    )
    boxes: dict[str, list[float]] = Field(
        {},
        description="Where a district's units can be: south, west, north, east in degrees,"
        ' {"MLKB": [-2.3, 114.8, -1.8, 115.4]}. A position outside is a fault of the GPS'
        " on the days that are built from then on.",
    )
    poll_seconds: float = Field(
        15, ge=0.2, le=86_400, description="The worker looks for new files so often."
    )
    window_start: int = Field(
        1_577_836_800, description="Earliest second (epoch) that a device clock is believed."
    )
    batch_files: int = Field(
        48, ge=1, le=5_000, description="Most raw files that one claim takes; bounds memory."
    )
    most_bytes: int = Field(
        268_435_456, ge=1_000, description="A raw file that unpacks to more is set aside."
    )
    most_line_bytes: int = Field(
        4_194_304, ge=1_000, description="A raw file with a longer line is set aside."
    )
    new_fields_a_day: int = Field(
        64, ge=0, description="Most unknown fields that become columns in 24 h."
    )
    notify: list[SecretStr] = Field(
        [], description='Whom to tell of trouble: Apprise addresses, ["mailto://…"]; none: nobody.'
    )
    notify_repeat_hours: float = Field(
        24, gt=0, le=8_760, description="The same trouble is told again after so long."
    )
    silence_minutes: float = Field(
        120, ge=0, le=525_600, description="No new file for so long is trouble; 0: never."
    )
    log: Literal["text", "json"] = Field(
        "text",
        description="Form of the log on standard error: `text`, or `json`, an object a line.",
    )
    host: str = Field("127.0.0.1", description="Address the app listens on.")
    port: int = Field(8501, ge=1, le=65_535, description="Port the app listens on.")

    session_hours: float = Field(24, gt=0, le=8_760, description="A sign-in ends after so long.")
    allowed_hosts: list[str] = Field(
        [],
        description='Names by which browsers may ask for the app: ["haul.example"]. None: any, or'
        " loopback's alone while `HAULWATCH_HOST` is one of these.",
    )
    trusted_proxies: list[str] = Field(
        [],
        description="Addresses or networks of reverse proxies whose X-Forwarded-For counts:"
        ' ["10.0.0.5"]. None: the peer of the connection counts.',
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: list[str]) -> list[str]:
        for network in value:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError(
                    f"{network!r} is no address or network like 10.0.0.0/24"
                ) from error
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, value: list[str]) -> list[str]:
        for name in value:
            if not re.fullmatch(r"\*|(\*\.)?[A-Za-z0-9_.-]+|[0-9a-fA-F:]+", name):
                raise ValueError(f"{name!r} is no host name like haul.example, without a port")
        return value

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return _check_zone(value)

    @field_validator("zones")
    @classmethod
    def _zones(cls, value: dict[str, str]) -> dict[str, str]:
        return {district: _check_zone(name) for district, name in value.items()}

    @field_validator("shift_start")
    @classmethod
    def _shift_start(cls, value: dict[str, str]) -> dict[str, str]:
        for district, text in value.items():
            if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
                raise ValueError(f"{district}: {text!r} is no time of day like 06:00")
        return value

    @field_validator("boxes")
    @classmethod
    def _boxes(cls, value: dict[str, list[float]]) -> dict[str, list[float]]:
        for district, box in value.items():
            match box:
                case [south, west, north, east] if (
                    -90 <= south < north <= 90 and -180 <= west < east <= 180
                ):
                    continue
            raise ValueError(f"{district}: give south, west, north and east, in this order")
        return value

    @field_validator("keep_marts_days")
    @classmethod
    def _keep_marts(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and "keep_clean_days" in info.data:
            clean = info.data["keep_clean_days"]
            kept = "for ever" if clean is None else f"{clean} days"
            if clean is None or value < clean:
                raise ValueError(
                    f"{value} days, but the rows they are made of stay {kept} and would build them"
                    f" again; set {PREFIX}KEEP_CLEAN_DAYS to at most {value}"
                )
        return value

    @field_validator("notify")
    @classmethod
    def _notify(cls, value: list[SecretStr]) -> list[SecretStr]:
        if value:
            import apprise

            # It logs what it cannot read; the addresses hold passwords.
            logging.getLogger("apprise").propagate = False
            for number, address in enumerate(value, 1):
                if apprise.Apprise.instantiate(address.get_secret_value()) is None:
                    raise ValueError(f"number {number} of the list is no address for Apprise")
        return value

    @field_validator("home", mode="before")
    @classmethod
    def _home(cls, value: Any) -> Any:
        if not str(value).strip():
            raise ValueError("it is empty; name a folder, or leave it out for ./var")
        return value

    @field_validator("memory_limit", "answer_limit")
    @classmethod
    def _size(cls, value: str, info: ValidationInfo) -> str:
        if not re.fullmatch(rf"\d+(\.\d+)?\s?({'|'.join(_UNITS)})", value):
            raise ValueError(f"{value!r} is no size like 4GB")
        if info.field_name == "memory_limit" and _bytes(value) < LEAST_MEMORY:
            raise ValueError(f"{value!r} is too little to work in: at least 32MB")
        return value

    @field_validator("raw", "lake")
    @classmethod
    def _folder(cls, value: str | None) -> str | None:
        if value is None or "://" not in value:
            return value
        scheme, _, place = value.partition("://")
        if scheme != "s3":
            raise ValueError(f"{scheme}:// is not supported; name a folder or s3://bucket/prefix")
        bucket = place.partition("/")[0]
        if "@" in bucket:  # do not repeat the value: it holds a secret
            raise ValueError(f"keys belong in {PREFIX}S3_KEY and {PREFIX}S3_SECRET, not here")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", bucket):
            raise ValueError(f"{value!r} names no bucket; write s3://bucket/prefix")
        return value

    @model_validator(mode="after")
    def _grace(self) -> Settings:
        if self.query_seconds * 2 > self.gc_grace_seconds:
            # A reader must finish before the files under it may be deleted.
            object.__setattr__(self, "query_seconds", self.gc_grace_seconds / 2.5)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the TOML file; no dotenv, no secrets folder."""
        del dotenv_settings, file_secret_settings
        path = os.environ.get(CONFIG_VARIABLE, DEFAULT_CONFIG)
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(path))

    @property
    def raw_is_remote(self) -> bool:
        """Whether the raw files are in an object store; then there is no ``raw_root``."""
        return self.raw is not None and "://" in self.raw

    @property
    def raw_root(self) -> Path:
        """Folder of the raw files. Raises SettingsError when they are in an object store."""
        if self.raw_is_remote:
            raise SettingsError(variable_of("raw"), f"{self.raw} is no folder, and one is needed")
        return Path(self.raw).absolute() if self.raw else self.home.absolute() / "raw"

    @property
    def lake_is_remote(self) -> bool:
        """Whether the lake is in an object store; then there is no ``lake_root``."""
        return self.lake is not None and "://" in self.lake

    @property
    def lake_root(self) -> Path:
        """Folder that holds ``clean``, ``analytics`` and ``quarantine``.

        Raises SettingsError when they are in an object store.
        """
        if self.lake_is_remote:
            raise SettingsError(variable_of("lake"), f"{self.lake} is no folder, and one is needed")
        return Path(self.lake).absolute() if self.lake else self.home.absolute()

    @property
    def scratch(self) -> Path:
        """Folder for what is made and gone again: beside the lake, or in the home."""
        return (self.home.absolute() if self.lake_is_remote else self.lake_root) / "tmp"

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.ledger or f"sqlite:///{self.home.absolute() / 'ledger.db'}"

    @property
    def duckdb(self) -> dict[str, str | bool | int | float | list[str]]:
        """Limits of one DuckDB instance; they belong to the instance, not to a query."""
        return {
            "threads": self.threads,
            "memory_limit": self.memory_limit,
            "temp_directory": str(self.scratch),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }

    @property
    def memory_bytes(self) -> int:
        """The limit of memory in bytes."""
        return _bytes(self.memory_limit)

    @property
    def answer_bytes(self) -> int:
        """The limit of an answer in bytes."""
        return _bytes(self.answer_limit)

    def zone_of(self, district: str) -> str:
        """IANA name of the zone in which a district's people live."""
        return self.zones.get(district, self.zone)


def variable_of(field: str) -> str:
    """Environment variable that sets a field."""
    return PREFIX + field.upper()


def load(**overrides: Any) -> Settings:
    """Settings from the environment and the TOML file.

    Raises SettingsError, which names the variable (or the file) and what is wrong with it.
    """
    path = os.environ.get(CONFIG_VARIABLE)
    if path and not Path(path).is_file():
        raise SettingsError(CONFIG_VARIABLE, f"there is no file {path}")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = variable_of(str(first["loc"][0])) if first["loc"] else PREFIX + "*"
        reason = first["msg"].removeprefix("Value error, ")
        if name in SECRETS:
            raise SettingsError(name, reason) from None
        if first["type"] != "value_error":
            reason = f"{first['input']!r}: {reason}"
        raise SettingsError(name, reason) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(CONFIG_VARIABLE, f"{path or DEFAULT_CONFIG}: {error}") from error
    except Exception as error:  # pydantic-settings' own error for a value that is no JSON
        if type(error).__name__ != "SettingsError":
            raise
        field = re.search(r'field "(\w+)"', str(error))
        name = variable_of(field.group(1)) if field else PREFIX + "*"
        if name in SECRETS:
            raise SettingsError(name, 'what it holds is not valid JSON like ["…"]') from None
        raise SettingsError(name, f"{os.environ.get(name)!r} is not valid JSON") from error


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """One sentence for each ``HAULWATCH_*`` variable that is no setting: likely a misspelling."""
    known = {variable_of(name) for name in Settings.model_fields}
    known |= {CONFIG_VARIABLE, PREFIX + "NO_WORKER"}  # the latter: how `serve` tells the app
    sentences = []
    for name in sorted(set(environment) - known):
        if name.startswith(PREFIX):
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            sentences.append(f"{name} is no setting of Haulwatch and is ignored{hint}")
    return sentences


def check_home(settings: Settings) -> None:
    """Raise HomeError when the home can never be one; nothing is made yet."""
    home = settings.home.absolute()
    there = next(place for place in (home, *home.parents) if os.path.lexists(place))
    if not there.is_dir():
        raise HomeError(home, "is not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise HomeError(home, "cannot be written")


def ready_home(settings: Settings) -> Path:
    """Make sure that the home exists and can be written; return it, absolute.

    Raises HomeError when it is not a folder or cannot be written.
    """
    home = settings.home.absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        raise HomeError(home, "is not a folder") from error
    except OSError as error:
        raise HomeError(home, f"cannot be written ({error.strerror})") from error
    return home
