# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured: jobs, played by each contender in turn, round after round."""

from __future__ import annotations

import dataclasses
import statistics
import typing as t

from .contenders import Contender
from .lab import Cloud, Lab, Run

LATENCY = 0.1
ROLE = "role provision, no change"
# More VMs than this take AWS's modules minutes.
FEW = 100


@dataclasses.dataclass(frozen=True)
class Job:
    """A job. size: N, 0 if it has none; latency: seconds that each request takes longer; boot: that VMs take."""

    kind: str
    size: int = 0
    latency: float = 0.0
    boot: float = 0.0

    def __str__(self) -> str:
        size = f" {self.size}" if self.size else ""
        boot = f", VMs boot {self.boot:g} s" if self.boot else ""
        return f"{self.kind}{size}{boot}{f', {self.latency * 1000:g} ms a request' if self.latency else ''}"

    @property
    def before(self) -> int:
        """How many members there are when it begins; -1 if a key pair has to be there."""
        return {
            "no change": self.size,
            "grow": self.size // 2,
            "terminate": self.size,
            "key pair, no change": -1,
            ROLE: self.size,
        }.get(self.kind, 0)

    def play(self, contender: Contender, lab: Lab) -> dict[str, t.Any]:
        """The play that does it, for a contender: one task, but for the role's job."""
        cloud = lab.clouds[contender.cloud]
        if self.kind == ROLE:
            return contender.role(cloud, self.size, lab.key_file) if contender.role else _both(contender, cloud, self)
        if self.kind.startswith("key pair"):
            return {"tasks": [contender.keypair(cloud)]}
        if self.kind == "image":
            return {"tasks": [contender.image(cloud)]}
        return {"tasks": [contender.batch(cloud, 0 if self.kind == "terminate" else self.size)]}


def _both(contender: Contender, cloud: Cloud, job: Job) -> dict[str, t.Any]:
    return {"tasks": [contender.keypair(cloud), contender.batch(cloud, job.size)]}


class Measured(t.NamedTuple):
    """A job by a contender: runs, and for each of them that of a play without a task, in the same round."""

    runs: list[Run]
    empty: list[Run]

    @property
    def requests(self) -> int:
        """The requests of the median run."""
        return int(statistics.median_low([run.requests for run in self.runs]))

    @property
    def cpu(self) -> float:
        """The task's own CPU seconds: those of the play less those of a play without it."""
        return statistics.median(self.own_cpu())

    @property
    def wall(self) -> float:
        """Seconds that the whole command took."""
        return statistics.median([run.wall for run in self.runs])

    def whole_cpu(self) -> list[float]:
        """CPU seconds of the whole command, round by round."""
        return [run.cpu for run in self.runs]

    def own_cpu(self) -> list[float]:
        """CPU seconds of the task, round by round."""
        return [run.cpu - empty.cpu for run, empty in zip(self.runs, self.empty)]


def batches(sizes: t.Iterable[int], latency: float = 0.0) -> list[Job]:
    """The four jobs with batches, of these sizes."""
    kinds = ("from zero", "no change", "grow", "terminate")
    return [Job(kind, size, latency) for size in sizes for kind in kinds if kind != "grow" or size > 1]


def prepare(lab: Lab, contender: Contender, job: Job) -> None:
    """Have a contender's cloud be as a job of its finds it. It was made by the contender itself, once."""
    cloud = lab.clouds[contender.cloud]
    name = f"{contender.name.replace(' ', '-')}-{'role' if job.kind == ROLE else ''}{job.before}"
    if name not in lab.kept:
        cloud.empty()
        cloud.set(latency=0.0, boot_seconds=0.0, action_seconds=0.0)
        if job.kind == ROLE:
            lab.play(job.play(contender, lab))
        elif job.before:
            lab.play({"tasks": [contender.keypair(cloud) if job.before < 0 else contender.batch(cloud, job.before)]})
        cloud.keep(name)
        lab.kept[name] = cloud.image
    cloud.bring(name)
    cloud.image = lab.kept[name]


def play(lab: Lab, job: Job, contender: Contender, memory: bool = False) -> Run:
    """One run of a job."""
    prepare(lab, contender, job)
    lab.clouds[contender.cloud].set(latency=job.latency, boot_seconds=job.boot, action_seconds=0.0)
    return lab.play(job.play(contender, lab), memory)


def measure(
    lab: Lab, job: Job, contenders: t.Sequence[Contender], rounds: int, tell: t.Callable[[], None]
) -> dict[str, Measured]:
    """Rounds of a job, in each of which every contender has its turn."""
    found = {contender.name: Measured([], []) for contender in contenders}
    for number in range(rounds):
        empty = lab.play({"tasks": []})
        turn = number % len(contenders)
        for contender in (*contenders[turn:], *contenders[:turn]):
            found[contender.name].runs.append(play(lab, job, contender))
            found[contender.name].empty.append(empty)
            tell()
    return found


def ratio(ours: t.Sequence[float], theirs: t.Sequence[float]) -> float:
    """The median of the ratios of paired figures."""
    return statistics.median([one / other for one, other in zip(ours, theirs)])
