# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as a picture."""

from __future__ import annotations

import pathlib
import typing as t

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

from .contenders import ALL
from .jobs import LATENCY, Job, Measured

COLOURS = {"nova_ec2.cloud": "#1f6f8b", "amazon.aws": "#e08e45", "the way of 2.9": "#a3a3a3", "floor": "#d9d9d9"}


def draw(figures: t.Mapping[Job, t.Mapping[str, Measured]], path: pathlib.Path) -> None:
    """Draw requests, CPU, and the wall time at 100 ms a request, of batches of 100."""
    pyplot.rcParams["svg.hashsalt"] = "benchmark"
    panels = (
        ("requests", 0.0, lambda one: one.requests),
        ("CPU seconds of the task", 0.0, lambda one: one.cpu),
        ("seconds at 100 ms a request", LATENCY, lambda one: one.wall),
    )
    figure, axes = pyplot.subplots(1, len(panels), figsize=(13, 4.2), layout="constrained")
    kinds = ("no change", "from zero", "grow", "terminate")
    for axis, (title, latency, value) in zip(axes, panels):
        width = 0.8 / len(ALL)
        for place, contender in enumerate(ALL):
            found = [figures.get(Job(kind, 100, latency), {}).get(contender.name) for kind in kinds]
            heights = [max(value(one), 0.01) if one else 0 for one in found]
            at = [number + (place - len(ALL) / 2 + 0.5) * width for number in range(len(kinds))]
            bars = axis.bar(at, heights, width, label=contender.name, color=COLOURS[contender.name])
            axis.bar_label(bars, [f"{height:.3g}" if height else "" for height in heights], fontsize=6)
        axis.set_yscale("log")
        axis.set_xticks(range(len(kinds)), kinds)
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=8)
    figure.suptitle("Batches of 100 VMs; logarithmic scales", fontsize=11)
    figure.savefig(path, metadata={"Date": None})
