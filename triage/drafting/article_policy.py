"""Which places, contacts and steps of articles a reply may hold: the desk's own lists, by source."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field

from engine.shared import policy_file
from triage.policy_files import Policy

Verdict = Literal["quote", "check", "leave out"]
QUOTE: Final = "quote"
CHECK: Final = "check"
LEAVE_OUT: Final = "leave out"

Allowed = Literal["check", "leave out"]
Host = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]
Written = Annotated[str, Field(min_length=3, max_length=200)]
Mail = Annotated[str, Field(pattern=r"^[\w.+-]+@[\w.-]+\.\w+$", max_length=254)]
Phone = Annotated[str, Field(pattern=r"^\+?[0-9][0-9 ()./-]{1,30}$")]
Tool = Annotated[str, Field(pattern=r"^[\w.-]{2,40}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Source = Annotated[str, Field(min_length=1, max_length=120)]
A_LIST: Final = Field(strict=False, max_length=1000)  # YAML has lists, no tuples


class Contacts(Policy):
    emails: Annotated[tuple[Mail, ...], A_LIST] = ()
    phones: Annotated[tuple[Phone, ...], A_LIST] = ()


class Own(Policy):
    """What articles may name: `sites` with everything below them, and `names` that are written like places and lead
    nowhere."""

    sites: Annotated[tuple[Host, ...], A_LIST] = ()
    names: Annotated[tuple[Written, ...], A_LIST] = ()
    contacts: Contacts = Contacts()


class Steps(Policy):
    """What becomes of a step that may be right and still needs a look; nothing here may be quoted as it is."""

    command: Allowed = "check"
    administrator: Allowed = "check"
    download: Allowed = "check"
    credential: Allowed = "check"
    deletion: Allowed = "check"
    exemption: Allowed = "check"
    money: Allowed = "check"
    legal: Allowed = "check"
    plain_http: Allowed = "check"
    other_language: Allowed = "check"
    unlisted: Allowed = "check"
    macros: Allowed = "leave out"
    remote_control: Allowed = "leave out"
    gift_card: Allowed = "leave out"


class Rules(NamedTuple):
    """What holds for the articles of one source. `phones` are digits only."""

    languages: tuple[str, ...]
    sites: tuple[str, ...]
    names: tuple[str, ...]
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    tools: tuple[str, ...]
    steps: Steps


class ArticlePolicy(Own):
    """Without a file: English articles that point nowhere."""

    languages: Annotated[tuple[Language, ...], A_LIST] = ("en",)
    tools: Annotated[tuple[Tool, ...], A_LIST] = ()
    sources: Annotated[dict[Source, Own], Field(default_factory=dict, max_length=1000)]
    steps: Steps = Steps()

    def rules(self, source: str = "") -> Rules:
        """For a source that is named in the policy, what is listed for it comes on top of what is listed for all."""
        return _rules(self, source)

    def __hash__(self) -> int:
        return hash((self.languages, self.sites, self.names, self.tools))


@lru_cache(maxsize=256)
def _rules(policy: ArticlePolicy, source: str) -> Rules:
    own = [policy, policy.sources.get(source, Own())]
    return Rules(
        policy.languages,
        tuple(site for each in own for site in each.sites),
        tuple(name.casefold() for each in own for name in each.names),
        tuple(mail.casefold() for each in own for mail in each.contacts.emails),
        tuple("".join(filter(str.isdigit, phone)) for each in own for phone in each.contacts.phones),
        policy.tools,
        policy.steps,
    )


NO_PLACES: Final = ArticlePolicy(sources={})
"""What is used where no file is given."""


def load_article_policy(path: Path) -> ArticlePolicy:
    """Raises NotFound without the file, BadInput with file, key and reason."""
    return policy_file.read(path, ArticlePolicy, what="policy for articles")
