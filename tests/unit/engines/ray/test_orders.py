"""What the engine, its provider and its workers tell each other."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from morphml.engines.ray.orders import Duty, Summons, settings_of, settings_to_json
from morphml.engines.ray.planning import SlotShape
from morphml.engines.ray.settings import RaySettings
from morphml.errors import CallerError

SUMMONS = Summons(masters=("10.0.0.1:5",), token="t" * 40, authority="pem", path=("/a", "/b"))


def test_a_duty_arrives_as_it_was_sent() -> None:
    duty = Duty(summons=SUMMONS, name="w", slots=3, gpus=True, offers={"cpu": 3.0, "ssd": 1.0})
    assert Duty.read(duty.text()) == duty


def test_settings_arrive_as_they_were_sent() -> None:
    settings = RaySettings(address="auto", slots=7, shape=SlotShape(cpu=2.0, gpu=0.5, memory=1e9))
    told = json.loads(json.dumps(settings_to_json(settings)))
    assert settings_of(told) == settings
    assert set(told) == {each.name for each in fields(settings)}


def test_a_ray_client_is_refused_with_what_to_do() -> None:
    with pytest.raises(CallerError, match="must run inside the cluster"):
        RaySettings(address="ray://head:10001")


@pytest.mark.parametrize("wrong", [{"slots": 0}, {"shape": SlotShape(cpu=0.0)}])
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CallerError, match="got 0"):
        RaySettings(**wrong)  # type: ignore[arg-type]  # each is of its field
