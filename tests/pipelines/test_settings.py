"""Settings come from HELMDESK_* and say which one is wrong."""

from pathlib import Path

import pytest

from engine.shared.errors import BadInput
from pipelines.app.container import open_app
from pipelines.app.settings import read_settings, shipped_data, unknown_settings
from pipelines.jobs.cycle import cycle


def test_defaults_need_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings()
    assert settings.store_url == f"sqlite:///{tmp_path / 'var' / 'helmdesk.db'}"
    assert not settings.hosted_model
    assert (settings.data / "README.md").exists()


def test_environment_chooses_real_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_DATABASE_URL", "postgresql+psycopg://desk@localhost/desk")
    monkeypatch.setenv("HELMDESK_LLM_BASE_URL", "http://127.0.0.1:9/v1")
    settings = read_settings()
    assert settings.store_url.startswith("postgresql")
    assert settings.hosted_model


def test_foreign_keys_do_not_turn_hosted_models_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-for-helmdesk")
    assert not read_settings().hosted_model


def test_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_DRAFT_LIMIT", "many")
    with pytest.raises(BadInput, match=r"HELMDESK_DRAFT_LIMIT: .* got 'many'"):
        read_settings()


def test_keys_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_GROQ_API_KEY", "gsk-secret")
    assert "gsk-secret" not in repr(read_settings())


@pytest.mark.parametrize(
    "given", ["s3cret", '["s3cret"]', '{"jira": {"a": "s3cret"}}', '{"jira": ""}', '{"jira": "s3cret-s3cret-s"}']
)
def test_secrets_that_guard_nothing_are_refused_and_not_told(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_WEBHOOK_SECRETS", given)
    with pytest.raises(BadInput, match="HELMDESK_WEBHOOK_SECRETS: ") as told:
        read_settings()
    assert "s3cret" not in str(told.value)


def test_a_mistyped_setting_names_the_nearest_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HELMDESK_HOMEE", "elsewhere")
    with pytest.raises(BadInput, match=r"HELMDESK_HOMEE in the environment .* HELMDESK_HOME\?"):
        read_settings()


@pytest.mark.parametrize(
    "line", ["HELMDESK_DATABSE_URL=sqlite:///x.db", "helmdesk_databse_url=x", "HELMDESK_WHATEVER=1"]
)
def test_an_unknown_line_of_the_env_file_is_refused(line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"OTHER=1\n{line}\n")
    with pytest.raises(BadInput, match=rf"{line.partition('=')[0].upper()} in .*\.env is no setting.*\.env\.example"):
        read_settings()


def test_what_a_cluster_puts_into_the_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kubernetes tells every process of a service called helmdesk."""
    for name in ("HELMDESK_SERVICE_HOST", "HELMDESK_PORT", "HELMDESK_PORT_80_TCP_ADDR"):
        monkeypatch.setenv(name, "10.0.0.1")
    assert read_settings() is not None
    assert [name for name, _ in unknown_settings()] == [
        "HELMDESK_PORT", "HELMDESK_PORT_80_TCP_ADDR", "HELMDESK_SERVICE_HOST",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"HELMDESK_ACTOR=caf\xe9\n", b"\xff\xfeH\x00"])
def test_an_env_file_that_is_no_text_is_one_line(
    content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(BadInput, match=r"\.env can't be read as UTF-8"):
        read_settings()


def test_an_empty_path_means_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "DATA", "MODEL"):
        monkeypatch.setenv(f"HELMDESK_{name}", "")
    settings = read_settings()
    assert (settings.home, settings.data, settings.model) == (tmp_path / "var", shipped_data(), None)


def test_a_model_that_is_not_there_stops_a_cycle_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HELMDESK_MODEL", str(tmp_path / "mine.npz"))
    with open_app(home=tmp_path / "home") as app:
        with pytest.raises(BadInput, match=r"HELMDESK_MODEL=.*mine\.npz.* triage train"):
            cycle(app, as_of=app.now())
        assert "store" not in app.__dict__


@pytest.mark.parametrize("below", ["", "desk"])
def test_a_home_that_is_a_file_is_refused(below: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path / "home" / below))
    with pytest.raises(BadInput, match=r"HELMDESK_HOME.*home is a file; name a folder"):
        read_settings()
