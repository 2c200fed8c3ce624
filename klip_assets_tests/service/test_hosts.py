"""`klip dev` is not served to other machines unless somebody says so."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from klip_assets.cli import main
from klip_assets.defs import services
from klip_assets.defs.services import refuse_public
from klip_assets.errors import InputError

PUBLIC = [
    "0.0.0.0",
    "::",
    "",
    "0",
    "0x0",
    "10.1.2.3",
    "192.168.0.1",
    "2001:db8::1",
    "fe80::1",
    "::ffff:10.1.2.3",
    "8.8.8.8",
]


@pytest.mark.parametrize("host", PUBLIC)
def test_an_address_that_others_can_reach_is_refused(host: str) -> None:
    with pytest.raises(InputError, match=r"asks for no password.*--insecure-public"):
        refuse_public(host)
    told = CliRunner().invoke(main, ["dev", "--host", host])
    assert told.exit_code == 1 and "--insecure-public" in told.stderr and told.stdout == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "127.1", "::1", "localhost", "::ffff:127.0.0.1"])
def test_the_loopback_is_not(host: str) -> None:
    refuse_public(host)


def names(*addresses: str) -> Callable[..., list[Any]]:
    return lambda *_: [(0, 0, 0, "", (address, 0)) for address in addresses]


def test_a_name_is_refused_if_one_of_its_addresses_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.socket, "getaddrinfo", names("127.0.0.1", "10.1.2.3"))
    with pytest.raises(InputError, match=r"reaches studio \(10\.1\.2\.3\)"):
        refuse_public("studio")
    monkeypatch.setattr(services.socket, "getaddrinfo", names("127.0.0.1", "::1%lo"))
    refuse_public("studio")


def test_a_name_without_an_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(services.socket, "getaddrinfo", fail)
    with pytest.raises(InputError, match="'nowhere' is no address of this machine: Name or service not known"):
        refuse_public("nowhere")


@pytest.mark.parametrize("words", [("--host", "0.0.0.0", "--insecure-public"), ("--host", "::1"), ()])
def test_what_is_served_says_so(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[str] = []

    def serve(*_: object, host: str, port: int, on_start: Callable[[], None]) -> None:
        served.append(host)
        on_start()

    monkeypatch.setattr(services, "serve", serve)
    told = CliRunner().invoke(main, ["dev", *words])
    assert told.exit_code == 0 and served == [words[1] if words else "127.0.0.1"]
    assert ("delete it" in told.stderr) == ("--insecure-public" in words)
    assert ("http://[::1]:3000" in told.stdout) == ("::1" in words)
