"""Who somebody is: by name, by key; what each role may do at each door; and that all of it is on record."""

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine import access
from engine.access import ApiKey, Right, User, UserRole, View
from engine.contracts import Agent, Delivery, StandardTicket
from engine.shared.errors import BadInput, NotAllowed, NotFound
from engine.storage.audit import verify
from pipelines.app import identity
from pipelines.app.container import App, open_app
from pipelines.app.settings import read_settings, shipped_data
from pipelines.cli import command_line
from tests.pipelines.small_desk import AS_OF

ANA = Agent(id="AGT-07", email="ana@desk.example", name="Ana")
GONE = Agent(id="AGT-08", email="gone@desk.example", name="Gone", is_active=False)
POLICY = access.load(shipped_data() / "policies" / "access.yaml")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_file: object) -> App:
    monkeypatch.setenv("HELMDESK_USER", "")
    with open_app(home=tmp_path) as opened:
        opened.store.put([ANA, GONE])
        ticket = StandardTicket(ticket_id="1", source="web", ticket_number="INC-1", created_at=AS_OF)
        opened.store.ingest(Delivery(tickets=(ticket,)), at=AS_OF)
        yield opened  # type: ignore[misc]


@pytest.fixture
def admin(app: App) -> User:
    return identity.local_user(app)


def of(role: UserRole) -> User:
    return User(id=role, name=role.title(), roles=(role,))


def ran(app: App, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command_line, ["--home", str(app.settings.home), *words])
    why = f"{result.output}{result.exception or ''}"
    return result.exit_code, why


def test_who_works_here_is_named_and_never_an_agent(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    me = identity.local_user(app)
    assert me.id.startswith("local:")
    assert set(me.roles) == {UserRole.ADMIN, UserRole.SUPERVISOR}
    assert identity.local_user(app, "AGT-07").name == "Ana"
    monkeypatch.setenv("HELMDESK_USER", "AGT-07")
    with open_app(home=app.settings.home) as again:
        assert identity.local_user(again).id == "AGT-07"
        assert identity.local_user(again, "AGT-08").is_active is False
    with pytest.raises(NotFound, match="no user nobody"):
        identity.local_user(app, "nobody")


def test_a_user_that_was_set_comes_before_the_agents_role(app: App, admin: User) -> None:
    identity.set_user(app, "AGT-07", by=admin, roles=[UserRole.AUDITOR])
    assert identity.user_of(app, "AGT-07").roles == (UserRole.AUDITOR,)
    identity.set_user(app, "AGT-08", by=admin, roles=[UserRole.ADMIN], is_active=True)
    assert not identity.user_of(app, "AGT-08").is_active  # the agent has left
    assert [user.id for user in identity.users(app) if user.is_active] == ["AGT-07"]


@pytest.mark.parametrize("user_id", ["", " ", "local:root"])
def test_an_id_that_is_nobodys_is_refused(app: App, admin: User, user_id: str) -> None:
    with pytest.raises(BadInput, match="can't be a user's id"):
        identity.set_user(app, user_id, by=admin, roles=[UserRole.AGENT])
    with pytest.raises(BadInput, match="--role, one of agent"):
        identity.set_user(app, "new", by=admin)


def test_a_key_opens_until_it_is_revoked(app: App, admin: User) -> None:
    key, webhook = (
        identity.create_key(app, by=admin, user_id="AGT-07"),
        identity.create_key(app, by=admin, source="servicenow"),
    )
    assert re.fullmatch(r"hd_[0-9a-f]{12}_[0-9a-f]{64}", key)
    assert identity.bearer(app, key) == identity.user_of(app, "AGT-07")
    assert identity.bearer(app, webhook) == "servicenow"
    identity.revoke_key(app, key.split("_")[1], by=admin)
    with pytest.raises(NotAllowed, match="unknown or was revoked"):
        identity.bearer(app, key)
    with pytest.raises(NotAllowed, match="was revoked by local:"):
        identity.revoke_key(app, key.split("_")[1], by=admin)
    assert identity.bearer(app, webhook) == "servicenow"


@pytest.mark.parametrize("change", [
    lambda key: "", lambda key: "hd__", lambda key: key[:-1], lambda key: key + "0", lambda key: key.upper(),
    lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"), lambda key: key.replace("hd_", "xx_"),
    lambda key: "hd_" + "0" * 12 + key[15:], lambda key: key + "\ud800", lambda key: key + "\n",
])  # fmt: skip
def test_another_key_opens_nothing(app: App, admin: User, change) -> None:  # type: ignore[no-untyped-def]
    key = identity.create_key(app, by=admin, user_id="AGT-07")
    with pytest.raises(NotAllowed, match="opens nothing"):
        identity.bearer(app, change(key))


def test_keys_of_who_left_open_nothing(app: App, admin: User) -> None:
    key = identity.create_key(app, by=admin, user_id="AGT-07")
    identity.set_user(app, "AGT-07", by=admin, is_active=False)
    with pytest.raises(NotAllowed, match="Ana is not active"):
        identity.bearer(app, key)
    with pytest.raises(NotAllowed, match="not active"):
        identity.create_key(app, by=admin, user_id="AGT-08")


def test_the_secret_is_written_nowhere(app: App, admin: User) -> None:
    secret = identity.create_key(app, by=admin, user_id="AGT-07").split("_")[2]
    app.store.close()
    held = b"".join(file.read_bytes() for file in app.settings.home.rglob("*") if file.is_file())
    assert secret.encode() not in held
    assert secret not in ran(app, "keys", "list")[1]


@pytest.mark.parametrize("role", UserRole)
@pytest.mark.parametrize(
    ("right", "door"),
    [
        (Right.ADMINISTER, lambda app, by: identity.set_user(app, "new", by=by, roles=[UserRole.AGENT])),
        (Right.ADMINISTER, lambda app, by: identity.create_key(app, by=by, user_id="AGT-07")),
        (Right.ADMINISTER, lambda app, by: identity.revoke_key(app, identity.keys(app)[0].id, by=by)),
        (Right.READ, lambda app, by: app.desk.read_ticket("INC-1", reader=by)),
        (Right.READ, lambda app, by: app.desk.read_timeline("INC-1", reader=by)),
        (Right.READ, lambda app, by: app.desk.read_history("INC-1", reader=by)),
    ],
)  # fmt: skip
def test_each_door_asks_for_its_right(app: App, admin: User, role: UserRole, right: Right, door) -> None:  # type: ignore[no-untyped-def]
    identity.create_key(app, by=admin, source="jira")
    if right in POLICY.rights[role]:
        door(app, of(role))
        return
    before = app.store.counts()
    with pytest.raises(NotAllowed, match=f"as {role} has no right to {right}"):
        door(app, of(role))
    assert app.store.counts() == before


@pytest.mark.parametrize("role", UserRole)
@pytest.mark.parametrize(
    ("right", "words"),
    [
        (Right.ADMINISTER, ("users", "set", "x", "--role", "agent")),
        (Right.ADMINISTER, ("keys", "create", "--user", "AGT-07")),
        (Right.ADMINISTER, ("keys", "list")),
        (Right.ADMINISTER, ("keys", "revoke", "KEY")),
        (Right.READ, ("users", "list")),
        (Right.AUDIT, ("audit", "views")),
    ],
    ids=lambda words: words if isinstance(words, str) else " ".join(words),
)
def test_each_command_asks_for_its_right(
    app: App, admin: User, role: UserRole, right: Right, words: tuple[str, ...]
) -> None:
    key = identity.create_key(app, by=admin, source="jira").split("_")[1]
    app.store.put([of(role)])
    code, said = ran(app, *(key if word == "KEY" else word for word in words), "--by", role)
    if right in POLICY.rights[role]:
        assert code == 0, said
    else:
        assert f"as {role} has no right to {right}" in said


def test_commands_make_show_and_end_keys(app: App) -> None:
    code, said = ran(app, "keys", "create", "--user", "AGT-07")
    key = said.splitlines()[-1]
    assert (code, identity.bearer(app, key)) == (0, identity.user_of(app, "AGT-07"))
    number = key.split("_")[1]
    assert f"{number}  user AGT-07" in ran(app, "keys", "list")[1]
    assert ran(app, "keys", "revoke", number)[0] == 0
    assert ", revoked " in ran(app, "keys", "list")[1]
    assert "one of --user and --source" in ran(app, "keys", "create")[1]
    assert "'Bad Name' is no source" in ran(app, "keys", "create", "--source", "Bad Name")[1]


def test_commands_set_and_list_users(app: App) -> None:
    said = ran(app, "users", "set", "aud", "--role", "auditor", "--name", "Aud", "--email", "aud@desk.example")[1]
    assert said == "aud: Aud, auditor, active\n"
    assert ran(app, "users", "set", "aud", "--inactive")[1] == "aud: Aud, auditor, not active\n"
    listed = ran(app, "users", "list")[1]
    assert "aud@desk.example  not active" in listed
    assert listed.endswith("3 users\n")
    assert "--role 'king' is none" in ran(app, "users", "set", "aud", "--role", "king")[1]


def test_what_happens_to_users_and_keys_is_on_record(app: App, admin: User) -> None:
    identity.set_user(app, "aud", by=admin, roles=[UserRole.AUDITOR])
    key = identity.create_key(app, by=admin, user_id="aud").split("_")[1]
    identity.revoke_key(app, key, by=admin)
    log = app.store.frame("audit_log")
    assert log.select("kind", "subject", "actor").rows()[1:] == [
        ("user_set", "aud", admin.id), ("key_created", key, admin.id), ("key_revoked", key, admin.id),
    ]  # fmt: skip
    assert (verify(app.store).found, verify(app.store).records) == (0, 2)
    app.store.close()
    with closing(sqlite3.connect(app.settings.home / "helmdesk.db")) as connection:
        connection.execute("UPDATE api_keys SET revoked_at = NULL, revoked_by = NULL")
        connection.commit()
    code, said = ran(app, "audit", "verify")
    assert code == 1
    assert said.startswith(f"audit log version 4 (no event): its record api_keys/{key} was changed")


def test_views_are_written_together_and_read_by_who_may(app: App) -> None:
    ana, app_views = identity.user_of(app, "AGT-07"), lambda: app.store.all(View)
    for _ in range(50):
        identity.saw(app, ana, door="ticket", ticket_id="web:1")
    identity.saw(app, ana, door="queue")
    assert app_views() == []  # a page does not wait for them
    deadline = time.monotonic() + 10
    while len(app_views()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(app_views()) in {2, 3}  # a minute may have ended among the fifty
    app.store.put([of(UserRole.AUDITOR)])
    assert (
        "AGT-07         ticket           web:1" in ran(app, "audit", "views", "--ticket", "INC-1", "--by", "auditor")[1]
    )
    assert ran(app, "audit", "views", "--user", "nobody", "--by", "auditor")[1] == "0 views\n"


def test_views_are_written_when_the_app_closes(tmp_path: Path, sqlite_file: object) -> None:
    with open_app(home=tmp_path) as opened:
        identity.saw(opened, of(UserRole.AUDITOR), door="api", ticket_id="web:9")
    with open_app(home=tmp_path) as opened:
        assert [(view.user_id, view.ticket_id) for view in opened.store.all(View)] == [("auditor", "web:9")]


def test_proxies_are_addresses_or_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_PROXY_PEERS", "10.0.0.7, fd00::/8")
    assert [str(network) for network in read_settings().proxy_networks] == ["10.0.0.7/32", "fd00::/8"]
    monkeypatch.setenv("HELMDESK_PROXY_PEERS", "my-proxy")
    with pytest.raises(BadInput, match="HELMDESK_PROXY_PEERS"):
        read_settings()


def test_a_key_belongs_to_one() -> None:
    with pytest.raises(ValueError, match="one of them"):
        ApiKey(id="x", digest="0", created_at=AS_OF, created_by="a")
