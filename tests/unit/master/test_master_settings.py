"""What an operator may set of a master."""

from __future__ import annotations

import platform

import pytest

from morphml.errors import CallerError
from morphml.master.cluster.settings import MasterSettings


@pytest.mark.parametrize(
    ("listen", "advertise", "dialled"),
    [
        ("10.0.0.5:0", "", "10.0.0.5:7000"),
        ("10.0.0.5", "", "10.0.0.5:7000"),
        ("[::1]:0", "", "[::1]:7000"),
        ("0.0.0.0:0", "", f"{platform.node()}:7000"),
        ("[::]:0", "", f"{platform.node()}:7000"),
        ("0.0.0.0:0", "masters.example", "masters.example:7000"),
        ("0.0.0.0:0", "masters.example:443", "masters.example:443"),
    ],
)
def test_workers_are_told_an_address_that_they_can_dial(
    listen: str, advertise: str, dialled: str
) -> None:
    settings = MasterSettings(storage="a.db", listen=listen, advertise=advertise)
    assert settings.address(7000) == dialled


@pytest.mark.parametrize("wrong", [{"advertise": ":::"}, {"listen": "http://a:1"}])
def test_what_nobody_can_dial_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(CallerError, match="is no address"):
        MasterSettings(storage="a.db", **wrong)
