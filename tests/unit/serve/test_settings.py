"""The limits of the service are checked, and travel to its processes."""

from __future__ import annotations

import argparse

import pytest

from ppocr_lite import cli
from ppocr_lite.commands import serve
from ppocr_lite.errors import ConfigError
from ppocr_lite.serve import settings
from ppocr_lite.serve.settings import Settings


def parsed(*words: str) -> Settings:
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    return serve.make_settings(parser.parse_args(words))


@pytest.mark.parametrize(
    "wrong",
    [{"queue": 0}, {"seconds": 0}, {"max_bytes": -1}, {"port": 70000}, {"api_key": ""}, {"api_key": "schlüssel"}],
)
def test_what_limits_nothing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="serve: "):
        Settings(**wrong)  # type: ignore[arg-type]


def test_processes_are_told_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.ENVIRONMENT, "{}")
    assert Settings.from_environment() == Settings()
    said = Settings(workers=2, api_key="key", cors=("https://a",), hosts=("b",), ocr={"lang": "ch"}, seconds=5.5)
    said.to_environment()
    assert Settings.from_environment() == said
    assert "key" not in repr(said).replace("api_key", "")


def test_options_of_the_command_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.API_KEY, "from outside")
    found = parsed(
        "--workers=2", "--max-pages=7", "--lang=ch", "--max-pixels=1000", "--cors=https://a", "--cors=https://b"
    )
    assert (found.workers, found.max_pages, found.max_pixels, found.api_key) == (2, 7, 1000, "from outside")
    assert found.cors == ("https://a", "https://b")
    assert found.ocr["lang"] == "ch"
    assert found.ocr["threads"] >= 1
    assert parsed("--api-key=said").api_key == "said"
    assert parsed("--threads=3").ocr["threads"] == 3


def test_only_a_service_of_this_machine_knows_its_names() -> None:
    assert "localhost" in Settings().allowed_hosts
    assert "a.example" in Settings(hosts=("a.example",)).allowed_hosts
    assert Settings(host="0.0.0.0").allowed_hosts == ()
    assert "localhost" in Settings(host="0.0.0.0", hosts=("a.example",)).allowed_hosts


def test_wrong_networks_are_named_before_anything_listens(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fastapi", reason="the extra [serve] is not installed")
    assert cli.main(["serve", "--port=0", "--det-model=/nowhere"]) == 1
    assert "ModelError: There is no model" in capsys.readouterr().err


def test_an_open_address_without_a_key_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fastapi", reason="the extra [serve] is not installed")
    cli.main(["serve", "--port=0", "--det-model=/nowhere", "--host=0.0.0.0"])
    assert "Whoever reaches 0.0.0.0" in capsys.readouterr().err
