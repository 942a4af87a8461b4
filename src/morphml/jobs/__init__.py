"""What jobs of workflows do: the job types, their files, and what they put out.

Nothing heavy is imported here: a job type is loaded when the first job of it runs.
"""

from morphml.jobs.artifacts import Artifact, ArtifactFolder, artifacts_in
from morphml.jobs.contract import JobRun, JobType
from morphml.jobs.registry import runs_as
from morphml.jobs.runner import JOBS, NoMembers

__all__ = [
    "JOBS",
    "Artifact",
    "ArtifactFolder",
    "JobRun",
    "JobType",
    "NoMembers",
    "artifacts_in",
    "runs_as",
]
