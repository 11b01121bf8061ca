"""The work during which the power is lost.

Here: commands, and the calls at which one of them is killed or stopped first. Not here: what must hold afterwards (`checks`).
"""

from dataclasses import dataclass

TINY = [
    "agent.depth=1",
    "agent.units=2",
    "agent.batch=1",
    "agent.length=2",
    "agent.horizon=2",
    "task.frame_limit=100",
    "schedule.prefill_frames=100",
    "schedule.pretrain_updates=1",
    "schedule.train_every=100",
    "schedule.train_updates=1",
    "schedule.eval_every=400",
    "checkpoint.every=200",
    "log.every=20",
]
"""Settings with which a run of a thousand frames takes less than half a second."""


def train(folder: str, steps: int, *more: str, task: str = "inverted-pendulum-swingup", settings: tuple[str, ...] = ()) -> list[str]:
    """The arguments of a tiny run."""
    every = [*TINY, "threads=1", *settings]
    sets = [argument for setting in every for argument in ("--set", setting)]
    return ["train", task, "--preset", "smoke", "--logdir", folder, "--steps", str(steps), *sets, *more]


@dataclass(frozen=True)
class Step:
    """A command that is recorded."""

    arguments: list[str]
    # A signal that it receives at the nth call of a name, or at the line of output that begins with a text.
    signal: str | None = None
    call: tuple[str, int] | None = None
    line: str | None = None


@dataclass(frozen=True)
class Scenario:
    """Work during which the power is lost at some moment."""

    name: str
    about: str
    # Recorded, one after the other.
    steps: list[Step]
    # The user's commands after the loss of power.
    recover: list[list[str]]
    # The folders of runs that are compared with those of `whole`, which is done without any disturbance.
    runs: list[str]
    whole: list[list[str]]
    # Not recorded, before everything else; the disk has all of it.
    prepare: list[list[str]] | None = None
    # More files in the folder.
    files: dict[str, str] | None = None
    study: str | None = None
    # Folders of which every file must be there once the first step has ended, since it reported so.
    kept: tuple[str, ...] = ()


RUN = "runs/pendulum/0"
SOURCE = "sources/one"
ADDED = "runs/other"

SETTINGS = "\n".join(setting.replace("=", " = ") for setting in TINY)
STUDY = f"""
name = "tiny"
preset = "smoke"
steps = 300
seeds = [0]
tasks = ["inverted-pendulum-swingup"]

[set]
{SETTINGS}
log.videos = false

[[source]]
name = "other"
tasks = ["inverted-double-pendulum-swingup"]
steps = 300

[[method]]
kind = "baseline"

[[method]]
kind = "fractional"
from = "other"
fractions = [0.2]
"""


def scenarios() -> list[Scenario]:
    """All of them."""
    run = train(RUN, 1000)
    videos = train(RUN, 500, settings=("log.videos=true", "log.every=100"))
    # More lines of metrics between two checkpoints than a block of the disk holds.
    lines = train(RUN, 1000, settings=("task.frame_limit=20", "checkpoint.every=400"))
    one = train(RUN, 600, settings=("checkpoint.kept=1",))
    heir = train(RUN, 400, "--from", SOURCE)
    plain = train(RUN, 400)
    source = train(SOURCE, 300, task="inverted-double-pendulum-swingup")
    longer = train(RUN, 600)
    study = ["study", "run", "tiny.toml", "--jobs", "1"]
    studied = "studies/tiny/runs/inverted-pendulum-swingup/"
    return [
        Scenario("run", "a run, from nothing to its end", [Step(run)], [run], [RUN], [run]),
        Scenario("videos", "a run with videos and images", [Step(videos)], [videos], [RUN], [videos]),
        Scenario(
            "resumed",
            "a run that was killed before, resumed",
            [Step(lines, signal="KILL", call=("fdatasync", 3)), Step(lines)],
            [lines],
            [RUN],
            [lines],
        ),
        Scenario(
            "replaced",
            "a run with one checkpoint, stopped in its last evaluation, so that its last checkpoint is replaced",
            [Step(one, signal="TERM", line="frame 600 "), Step(one)],
            [one],
            [RUN],
            [one],
        ),
        Scenario("transfer", "a run that begins with a transfer", [Step(heir)], [heir], [RUN], [heir], prepare=[source]),
        Scenario(
            "changed",
            "a start with a transfer that is killed, then another without",
            [Step(heir, signal="KILL", call=("rename", 3)), Step(plain)],
            [plain],
            [RUN],
            [plain],
            prepare=[source],
        ),
        Scenario(
            "added",
            "adding episodes of other programs",
            [Step(["episodes", "add", RUN, f"{ADDED}/episodes/*.npz"])],
            [longer],
            [RUN],
            [["episodes", "add", RUN, f"{ADDED}/episodes/*.npz"], longer],
            prepare=[train(RUN, 300), train(ADDED, 300, settings=("seed=5",))],
            kept=(f"{RUN}/episodes/added",),
        ),
        Scenario(
            "study",
            "a study of three runs",
            [Step(study)],
            [study],
            [
                "studies/tiny/sources/inverted-double-pendulum-swingup/300/1000",
                f"{studied}baseline/0",
                f"{studied}fractional-0.2-from-other/0",
            ],
            [study],
            files={"tiny.toml": STUDY},
            study="studies/tiny",
        ),
    ]
