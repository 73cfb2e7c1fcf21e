"""Everything the environment may say, read here and nowhere else: `HELMDESK_*`, or a `.env` file."""

import json
import os
import re
import sysconfig
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticUseDefault
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

from engine.shared.errors import BadInput
from engine.shared.policy_file import first_wrong

PREFIX = "HELMDESK_"
SHORTEST_SECRET = 16
CLOSE_MATCH = 0.82
"""From this likeness on, a name in the environment is a mistyped setting and not somebody else's variable."""


def shipped_data() -> Path:
    """The folder `data/` beside the packages in a checkout, or where an installed wheel keeps it."""
    return _shipped("data")


def shipped_notebooks() -> Path:
    """The folder `notebooks/`, likewise."""
    return _shipped("notebooks")


def _shipped(folder: str) -> Path:
    beside = Path(__file__).resolve().parents[2] / folder
    return beside if beside.is_dir() else Path(sysconfig.get_path("data")) / "share" / "helmdesk" / folder


class Settings(BaseSettings):
    """One value per choice of a real part; the defaults need nothing installed, started or paid for."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(Path("var"), description="everything written goes below it")
    data: Path = Field(default_factory=shipped_data, description="policies, taxonomies, knowledge, people")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite below home")
    milvus_uri: str = Field("", description="Milvus or Zilliz address; empty: a Milvus Lite file below home")
    milvus_token: SecretStr | None = Field(None, description="user:password, or an API key of Zilliz")
    milvus_database: str = Field("", description="of the server; made if it is not there; empty: its default one")
    embedder: str = Field("auto", pattern="^(auto|minilm|wordllama|cascade)$")
    model: Path | None = Field(
        None, description="a model of `helmdesk triage train`, its taxonomy beside it; empty: learned from the taxonomy"
    )
    taxonomy: str = Field(
        "products", description="a file of data/taxonomies without .yaml, or a path that ends in .yaml"
    )
    sla_policy: str = Field("default", description="a file of data/policies/sla, without .yaml")
    allocation_policy: str = Field("", description="a preset of data/policies/allocation.yaml; empty: the one it uses")
    priority_preset: str = Field("", description="a preset of data/policies/priority.yaml; empty: canonical")
    lifecycle_preset: str = Field("", description="a preset of data/policies/lifecycle.yaml; empty: canonical")
    alert_preset: str = Field("", description="a preset of data/policies/alert_matrix.yaml; empty: canonical")
    time_zone: str = Field("", description="whose days, weeks and months reports count; empty: asked at first ingest")
    handler: str = Field(
        "outbox", description="where decisions go: outbox, servicenow, jira, bmc, webhook, or one of one's own"
    )
    handler_url: str = Field("", description="its address; the outbox, a file below home, has none")
    handler_user: str = Field("", description="whose password or API token the token is; empty: a token alone")
    handler_token: SecretStr | None = None
    notify_urls: Annotated[dict[str, SecretStr], NoDecode] = Field(
        default_factory=dict, description="JSON: channel of notices to its address; one without goes to the inbox"
    )
    jira_url: str = Field("", description="Jira Cloud or Data Center; empty: nothing is pulled from it")
    jira_user: str = Field("", description="the e-mail of an API token; empty: the token is a personal access token")
    jira_token: SecretStr | None = None
    jira_jql: str = Field("", description="which issues, such as `project = SUP`; empty: all that the user sees")
    servicenow_url: str = Field("", description="a ServiceNow instance")
    servicenow_user: str = Field("", description="whose password the token is; empty: it is an OAuth token")
    servicenow_token: SecretStr | None = None
    zendesk_url: str = Field("", description="a Zendesk account")
    zendesk_user: str = Field("", description="the e-mail of an API token; empty: the token is an OAuth token")
    zendesk_token: SecretStr | None = None
    freshdesk_url: str = Field("", description="a Freshdesk account")
    freshdesk_token: SecretStr | None = None
    push_suggestions: bool = Field(False, description="write drafts back to their tickets, as internal notes")
    push_ungrounded: bool = Field(False, description="drafts too that rest on no article")
    groq_api_key: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    llm_base_url: str = Field("", description="any OpenAI-compatible server; asked after Groq and OpenAI")
    llm_api_key: SecretStr | None = None
    llm_model: str = Field("", description="the model that llm_base_url serves")
    llm_groq_model: str = "openai/gpt-oss-120b"
    llm_openai_model: str = "gpt-4o-mini"
    llm_timeout_seconds: Annotated[float, Field(gt=0)] = 20.0
    draft_limit: Annotated[int, Field(ge=0)] = Field(500, description="drafts a cycle writes at most; 0: none")
    dask_address: str = Field("", description="a running Dask scheduler; empty: local threads")
    prefect_api_url: str = Field("", validation_alias="PREFECT_API_URL", description="Prefect's own setting, only told")
    webhook_secrets: Annotated[dict[str, SecretStr], NoDecode] = Field(
        default_factory=dict, description="JSON: source -> the secret with which it signs what it posts"
    )
    service_body_bytes: Annotated[int, Field(ge=1_000)] = Field(1_000_000, description="the largest body it takes")
    service_body_seconds: Annotated[float, Field(gt=0)] = Field(10.0, description="a body that is slower is refused")
    service_requests_per_second: Annotated[float, Field(gt=0)] = Field(50.0, description="by one key of a user")
    service_webhooks_per_second: Annotated[float, Field(gt=0)] = Field(1_000.0, description="by one source")
    actor: str = Field("helmdesk", description="the name events carry that the pipeline writes")
    user: str = Field("", description="who works on this machine, by a user's id; empty: a named local user")
    proxy_user_header: str = Field("", description="a header in which a trusted proxy names who is signed in")
    proxy_peers: str = Field("", description="addresses or networks of those proxies, separated by commas")

    @field_validator("home", "data", "model", mode="before")
    @classmethod
    def _given(cls, path: Any) -> Any:
        """An empty path is none; it would be the folder one happens to be in."""
        if path == "":
            raise PydanticUseDefault
        return path

    @field_validator("proxy_peers")
    @classmethod
    def _known_networks(cls, peers: str) -> str:
        _networks(peers)
        return peers

    @field_validator("notify_urls", mode="before")
    @classmethod
    def _addresses(cls, given: Any) -> Any:
        urls = _secrets(given, "HELMDESK_NOTIFY_URLS", '{"email": "mailtos://…"}')
        if wrong := [name for name in urls if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name)]:
            raise BadInput(
                f"HELMDESK_NOTIFY_URLS: {wrong[0][:50]!r} is no channel: small letters, digits and _; see .env.example"
            )
        return urls

    @field_validator("webhook_secrets", mode="before")
    @classmethod
    def _hard_to_guess(cls, given: Any) -> Any:
        secrets = _secrets(given, "HELMDESK_WEBHOOK_SECRETS", '{"servicenow": "…"}')
        if short := [name for name, secret in secrets.items() if len(secret) < SHORTEST_SECRET]:
            raise BadInput(
                f"HELMDESK_WEBHOOK_SECRETS: the secret of {short[0][:50]!r} is shorter than {SHORTEST_SECRET} "
                "characters, and whoever guesses it posts as that source; `openssl rand -hex 32` makes one"
            )
        return secrets

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        return zone_name(name) if name else name

    @property
    def desk_zone_file(self) -> Path:
        """Where the answer of the first ingest is kept."""
        return self.home / "time_zone"

    @property
    def desk_zone(self) -> str:
        """The desk's time zone (IANA); UTC until it is known. Raises BadInput for a damaged answer."""
        if self.time_zone or not self.desk_zone_file.is_file():
            return self.time_zone or "UTC"
        try:
            return zone_name(self.desk_zone_file.read_text(encoding="utf-8").strip())
        except (ValueError, OSError) as error:
            raise BadInput(f"{self.desk_zone_file}: {error}; remove it or set HELMDESK_TIME_ZONE") from None

    @field_validator("home", "data")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        found = path.expanduser().resolve()
        if above := next((part for part in (found, *found.parents) if part.is_file()), None):
            raise ValueError(f"{above} is a file; name a folder")
        return found

    def command(self, words: str) -> str:
        """What does `helmdesk words` on this home, from the folder that a checkout is in."""
        default = type(self).model_fields["home"].default.resolve()
        where = "" if self.home == default else f"--home {quote(str(self.home))} "
        return f"uv run helmdesk {where}{words}"

    @property
    def store_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'helmdesk.db'}"

    @property
    def index_uri(self) -> str:
        return self.milvus_uri or str(self.home / "knowledge.milvus.db")

    @property
    def accounts(self) -> dict[str, tuple[str, str, SecretStr | None]]:
        """Address, user and token of each system that has an address, by its source."""
        every = {
            "jira": (self.jira_url, self.jira_user, self.jira_token),
            "servicenow": (self.servicenow_url, self.servicenow_user, self.servicenow_token),
            "zendesk": (self.zendesk_url, self.zendesk_user, self.zendesk_token),
            "freshdesk": (self.freshdesk_url, "", self.freshdesk_token),
        }
        return {source: account for source, account in every.items() if account[0]}

    @property
    def proxy_networks(self) -> list[IPv4Network | IPv6Network]:
        """Whose header counts."""
        return _networks(self.proxy_peers)

    @property
    def marts_folder(self) -> Path:
        return self.home / "marts"

    @property
    def search_weights_file(self) -> Path:
        return self.home / "models" / "search_weights.json"

    @property
    def models_folder(self) -> Path:
        return self.home / "models"

    @property
    def hosted_model(self) -> bool:
        """Whether a key or base URL was set on purpose."""
        return bool(self.groq_api_key or self.openai_api_key or self.llm_base_url)

    def check_model(self) -> None:
        """Raises BadInput if HELMDESK_MODEL names no file, whether anything waits for the model or not."""
        if self.model is not None and not self.model.is_file():
            raise BadInput(
                f"HELMDESK_MODEL={self.model}: there is no such file; `helmdesk triage train --out {self.model}` "
                "makes one, without the setting the taxonomy is enough"
            )


def _secrets(given: Any, variable: str, example: str) -> dict[str, Any]:
    """Secrets by name. Raises BadInput that repeats nothing of what is given."""
    try:
        found = json.loads(given or "{}") if isinstance(given, str) else given
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(secret, str | SecretStr) for secret in found.values()):
        raise BadInput(f"{variable}: expected JSON such as {example}; see .env.example")
    return found


def _networks(peers: str) -> list[IPv4Network | IPv6Network]:
    """Raises ValueError for one that is no address or network."""
    return [ip_network(peer.strip()) for peer in peers.split(",") if peer.strip()]


def zone_name(name: str) -> str:
    """The name, if it is an IANA time zone; raises ValueError."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name).key
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{name!r} is not an IANA time zone, such as Europe/Berlin") from None


def known_settings() -> list[str]:
    """The variables that are read."""
    return [setting_name(field) for field in Settings.model_fields]


def setting_name(field: str) -> str:
    """The variable that sets a field of Settings."""
    return str(Settings.model_fields[field].validation_alias or PREFIX + field.upper())


def unknown_settings() -> list[tuple[str, str]]:
    """Variables that begin like ours and are none, each with where it is said. Raises BadInput for a broken .env."""
    try:
        in_file = DotEnvSettingsSource(Settings).env_vars
    except (UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{Path('.env').absolute()} can't be read as UTF-8 text: {error}; see .env.example") from None
    names = [(name.upper(), str(Path(".env").absolute())) for name in in_file]
    names += [(name.upper(), "the environment") for name in os.environ]
    known = set(known_settings())
    return sorted((name, where) for name, where in names if name.startswith(PREFIX) and name not in known)


def _refuse_mistyped() -> None:
    """The environment has other people's variables too (a cluster adds some for every service); a .env is ours."""
    for name, where in unknown_settings():
        is_ours = where != "the environment"
        near = get_close_matches(name.removeprefix(PREFIX), _bare_names(), n=1, cutoff=0.5 if is_ours else CLOSE_MATCH)
        if near or is_ours:
            hint = f"; did you mean {PREFIX}{near[0]}?" if near else ";"
            raise BadInput(f"{name} in {where} is no setting{hint} .env.example has all of them")


def _bare_names() -> list[str]:
    return [name.removeprefix(PREFIX) for name in known_settings() if name.startswith(PREFIX)]


def read_settings(**overrides: object) -> Settings:
    """Settings of this process; `overrides` (from the command line) win. Raises BadInput naming the variable, for one
    that is mistyped too."""
    _refuse_mistyped()
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        field, _, reason = first_wrong(error).partition(": ")
        raise BadInput(f"{PREFIX}{field.upper()}: {reason}; see .env.example") from None
