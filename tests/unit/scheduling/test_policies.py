from __future__ import annotations

from morphml.scheduling.policies import Policy
from morphml.scheduling.policies.adaptive import Adaptive
from morphml.scheduling.policies.batching import Batching
from morphml.scheduling.policies.fair_share import FairShare
from morphml.scheduling.policies.fifo import Fifo
from morphml.scheduling.policies.load_balancing import LoadBalancing
from morphml.scheduling.policies.priority import Priority
from morphml.scheduling.policies.round_robin import RoundRobin
from morphml.scheduling.policies.work_stealing import WorkStealing
from morphml.testing.policy_contract import PolicyContract


class TestFifo(PolicyContract):
    def make(self) -> Policy:
        return Fifo()


class TestPriority(PolicyContract):
    def make(self) -> Policy:
        return Priority()


class TestRoundRobin(PolicyContract):
    def make(self) -> Policy:
        return RoundRobin()


class TestLoadBalancing(PolicyContract):
    def make(self) -> Policy:
        return LoadBalancing()


class TestFairShare(PolicyContract):
    def make(self) -> Policy:
        return FairShare()


class TestAdaptive(PolicyContract):
    def make(self) -> Policy:
        return Adaptive()


class TestWorkStealing(PolicyContract):
    def make(self) -> Policy:
        return WorkStealing()


class TestBatching(PolicyContract):
    def make(self) -> Policy:
        return Batching()
