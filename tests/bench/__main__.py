# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.bench``: measure, and write the figures as Markdown and as a picture."""

from __future__ import annotations

import argparse
import pathlib
import platform
import subprocess
import sys
import tempfile
import typing as t
import zipfile

from tqdm import tqdm

from . import goals, picture, report
from .contenders import ALL, AMAZON, FLOOR, OURS, Contender
from .jobs import FEW, LATENCY, ROLE, Job, Measured, batches, measure, play
from .lab import ROOT, Lab, Run

INVENTORIES = "inventories"
ANSIBLE = "ansible==12.3.0"  # whose file brings amazon.aws 10.1.2


def amazon_aws(folder: pathlib.Path) -> pathlib.Path:
    """The collection amazon.aws, unpacked from the package ``ansible``."""
    place = folder / "ansible_collections" / "amazon" / "aws"
    if not place.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        with tempfile.TemporaryDirectory() as scratch:
            subprocess.run([*pip, "--dest", scratch, ANSIBLE], check=True)
            wheel = next(pathlib.Path(scratch).glob("ansible-*.whl"))
            with zipfile.ZipFile(wheel) as archive:
                wanted = [name for name in archive.namelist() if name.startswith("ansible_collections/amazon/aws/")]
                archive.extractall(folder, wanted)
    return place


def plans(sizes: t.Sequence[int], rounds: int) -> list[tuple[Job, tuple[Contender, ...], int]]:
    """Jobs, who plays them, and how many rounds."""
    few, many = [size for size in sizes if size <= FEW], [size for size in sizes if size > FEW]
    single = [Job("key pair, create"), Job("key pair, no change"), Job("image")]
    found = [(job, ALL, rounds) for job in [*single, *batches(few)]]
    found += [(job, (OURS, FLOOR), rounds) for job in batches(many)]
    found += [(Job("from zero", 10, boot=5.0), ALL, max(1, rounds // 2))] if 10 in few else []
    found += [(Job(ROLE, 10), (OURS, FLOOR), rounds)] if 10 in few else []
    late = [Job(job.kind, latency=LATENCY) for job in single] + batches(few, LATENCY)
    return found + [(job, ALL, max(1, rounds // 2)) for job in late]


def inventories(lab: Lab, sizes: t.Sequence[int], rounds: int, tell: t.Callable[[], None]) -> report.Inventories:
    """Runs of inventories of so many hosts, by contender."""
    found: report.Inventories = {}
    for size in sizes:
        for contender in (OURS, AMAZON):
            cloud = lab.clouds[contender.cloud]
            cloud.empty()
            cloud.set(latency=0.0)
            cloud.ask("POST", "/servers", {"count": size, "state": "active"})
        for _round in range(rounds):
            for contender in (OURS, AMAZON):
                assert contender.inventory is not None
                found.setdefault((size, contender.name), []).append(
                    lab.inventory(*contender.inventory(lab.clouds[contender.cloud]))
                )
                tell()
    return found


def memory(lab: Lab, sizes: t.Sequence[int], tell: t.Callable[[], None]) -> dict[tuple[int, str], Run]:
    """The memory of the module's process, where nothing is to be changed."""
    found = {}
    for size in sizes:
        for contender in (OURS, AMAZON, FLOOR) if size <= FEW else (OURS, FLOOR):
            found[size, contender.name] = play(lab, Job("no change", size), contender, memory=True)
            tell()
    return found


def main() -> int:
    """Measure; 1 if a goal was not reached."""
    parser = argparse.ArgumentParser(prog="make bench")
    add = parser.add_argument
    add("--directory", type=pathlib.Path, default=ROOT / ".bench", help="where amazon.aws is kept")
    add("--rounds", type=int, default=7, help="paired runs of each job without latency; half as many with")
    add("--sizes", type=int, nargs="*", default=[1, 10, 100, 1000], help="sizes of batches")
    add("--hosts", type=int, nargs="*", default=[10, 1000, 10000], help="sizes of inventories")
    add("--only", help="only jobs whose names contain this, or inventories")
    add(
        "--output",
        type=pathlib.Path,
        help="folder for benchmark.md and benchmark.svg; without it, they are not written",
    )
    options = parser.parse_args()
    amazon = amazon_aws(options.directory)
    planned = [entry for entry in plans(options.sizes, options.rounds) if (options.only or "") in str(entry[0])]
    remembered = [] if options.only else [100, 500]
    hosts = [] if options.only not in (None, INVENTORIES) else options.hosts
    total = sum(len(contenders) * rounds for _job, contenders, rounds in planned)
    total += 2 * len(hosts) * options.rounds + sum(3 if size <= FEW else 2 for size in remembered)
    figures: dict[Job, dict[str, Measured]] = {}
    with tempfile.TemporaryDirectory() as folder, tqdm(total=total, unit="run", file=sys.stderr) as shown:
        lab = Lab(pathlib.Path(folder), amazon)

        def tell() -> None:
            shown.update()

        try:
            for job, contenders, rounds in planned:
                shown.set_description(str(job))
                figures[job] = measure(lab, job, contenders, rounds, tell)
            shown.set_description(INVENTORIES)
            listed = inventories(lab, hosts, options.rounds, tell)
            shown.set_description("memory")
            peaks = memory(lab, remembered, tell)
        finally:
            lab.end()
    checked = goals.check(figures, listed, peaks)
    head = f"Python {platform.python_version()}, {options.rounds} rounds; {AMAZON.name} from {ANSIBLE}"
    text = report.markdown(head, figures, listed, peaks, checked)
    print(text)
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "benchmark.md").write_text(text, encoding="utf-8")
        picture.draw(figures, listed, options.output / "benchmark.svg")
    return 0 if all(goal.reached for goal in checked) else 1


if __name__ == "__main__":
    sys.exit(main())
