"""The manifest of a Ray cluster on Kubernetes fits what the KubeRay operator takes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
MANIFEST = ROOT / "deployment" / "kubernetes" / "ray-cluster.yaml"


def exactly(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "required": list(properties),
    }


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
#: Words for `ray start`; the operator takes texts only.
PARAMETERS = {"type": "object", "additionalProperties": TEXT}
AMOUNTS = exactly(cpu=TEXT, memory=TEXT)
VARIABLE = exactly(name=TEXT, value=TEXT)
CONTAINER = {
    **exactly(
        name=TEXT,
        image=TEXT,
        env={"type": "array", "items": VARIABLE},
        resources=exactly(requests=AMOUNTS, limits=AMOUNTS),
        securityContext=exactly(
            allowPrivilegeEscalation={"const": False},
            capabilities=exactly(drop={"const": ["ALL"]}),
        ),
        ports={"type": "array", "items": exactly(containerPort=COUNT, name=TEXT)},
    ),
    "required": ["name", "image", "resources", "securityContext"],
}
POD = {
    **exactly(
        containers={"type": "array", "items": CONTAINER, "minItems": 1},
        securityContext=exactly(
            runAsNonRoot={"const": True},
            runAsUser={"type": "integer", "minimum": 1},
            seccompProfile=exactly(type={"const": "RuntimeDefault"}),
        ),
        terminationGracePeriodSeconds=COUNT,
    ),
    "required": ["containers", "securityContext"],
}
#: RayCluster of ray.io/v1, as far as the manifest uses it.
SCHEMA = exactly(
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayCluster"},
    metadata=exactly(name=TEXT, labels={"type": "object", "additionalProperties": TEXT}),
    spec=exactly(
        rayVersion=TEXT,
        authOptions=exactly(mode={"const": "token"}),
        enableInTreeAutoscaling={"type": "boolean"},
        headGroupSpec=exactly(rayStartParams=PARAMETERS, template=exactly(spec=POD)),
        workerGroupSpecs={
            "type": "array",
            "minItems": 1,
            "items": exactly(
                groupName=TEXT,
                replicas=COUNT,
                minReplicas=COUNT,
                maxReplicas=COUNT,
                rayStartParams=PARAMETERS,
                template=exactly(spec=POD),
            ),
        },
    ),
)


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found = yaml.safe_load(MANIFEST.read_text())
    jsonschema.validate(found, SCHEMA)
    return found


def test_schema_refuses_what_the_operator_would_ignore(manifest: dict[str, Any]) -> None:
    wrong = {**manifest, "spec": {**manifest["spec"], "workerGroups": []}}
    with pytest.raises(jsonschema.ValidationError, match="workerGroups"):
        jsonschema.validate(wrong, SCHEMA)


def test_version_of_ray_is_the_one_that_is_installed(manifest: dict[str, Any]) -> None:
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert f"ray=={manifest['spec']['rayVersion']}" in pins


def test_groups_scale_between_2_and_50_with_labels_that_ray_reads(manifest: dict[str, Any]) -> None:
    for group in manifest["spec"]["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        assert (group["minReplicas"], group["maxReplicas"]) == (2, 50)
        (word,) = shlex.split(group["rayStartParams"]["resources"])
        assert json.loads(word) == {"ssd": 1}


def test_head_and_workers_share_an_image_and_whatever_token_the_operator_makes(
    manifest: dict[str, Any],
) -> None:
    """A token of one container would not be the autoscaler's, which the operator adds."""
    spec = manifest["spec"]
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    containers = [group["template"]["spec"]["containers"][0] for group in groups]
    assert len({each["image"] for each in containers}) == 1
    named = {variable["name"] for each in containers for variable in each.get("env", ())}
    assert not {name for name in named if name.startswith("RAY_AUTH")}
