"""Settings come from HELMDESK_* and say which one is wrong."""

from pathlib import Path

import pytest

from engine.errors import BadInput
from pipelines.settings import read_settings


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
    with pytest.raises(BadInput, match="HELMDESK_DRAFT_LIMIT='many'"):
        read_settings()


def test_keys_are_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_GROQ_API_KEY", "gsk-secret")
    assert "gsk-secret" not in repr(read_settings())
