"""Reference cases for the agent's options, computed by a program of its own:

    python3 scripts/reference config FILE.safetensors > CONFIG.json
    python3 scripts/reference check FILE.safetensors
    python3 scripts/reference draw CONFIG.json FILE.safetensors

`check` computes the results of a file from its inputs, and compares them with those in the file; the exit code is 1 if
one differs. `draw` draws the inputs of all cases by the sizes, the constants and the seed of the configuration, and
writes them with their results. `config` prints the configuration of a file, from which the file can be drawn again.

The program was written from the formulas of DreamerV3 and its relatives, not from the Rust code, and computes in double
precision. `check` reproduces `crates/dreamer/tests/golden/options.safetensors`, which another program computed and the
authors' programs confirmed, to 2e-14 of the largest number of each value and 3e-13 of each gradient. `draw` made
`options-2.safetensors` next to it, which has other sizes and other constants. Needs numpy and autograd; tried with
Python 3.11, numpy 2.4 and autograd 1.9.
"""

import json
import sys

import numpy as np

from agents import AGENTS
from cases import CASES
from files import Case, TooClose, read, write

MOST = 1e-11
"""The largest difference that `check` accepts, in relation to the largest number of a tensor."""


def omitted(case, result, size):
    """Whether a result of a network of images is left out of a drawn file, which would be large with all of them."""
    if not case.startswith(("modern", "v3")):
        return False
    if result.startswith(("adam_", "opt_", "image_mean_rows")):
        return True
    return result.startswith(("step", "grad_repval/")) and size > 24 or result.startswith("grad/") and size > 100


def computed(compute, name, config, given, seed):
    """A case with its results. Drawn inputs are far enough from every switch."""
    for attempt in range(2000):
        case = Case(name, config, given, None if given else np.random.default_rng([*seed, attempt]))
        try:
            compute(case)
            return case
        except TooClose:
            continue
    sys.exit(f"{name}: no draw is far enough from every switch")


def cases(config, given=None):
    """All cases, one by one. A two-hot head's case is named after its bins."""
    for index, (name, compute) in enumerate({**CASES, **AGENTS}.items()):
        name = f"twohot/n{config['twohot']['bins']}" if name == "twohot/n255" else name
        yield computed(compute, name, config, given, [config["seed"], index])


def results(case):
    """The results by their names, as they are in a file."""
    for name, value in case.out.items():
        value = np.asarray(value)
        kind = np.int64 if value.dtype.kind in "iu" else np.float64
        yield name, f"{case.name}/out/{name}", value.astype(kind)


def draw(config, path):
    tensors = {}
    for case in cases(config):
        tensors |= {f"{case.name}/in/{name}": value for name, value in case.inputs.items()}
        tensors |= {full: value for name, full, value in results(case) if not omitted(case.name, name, value.size)}
    write(path, tensors, config)


def check(path):
    """Prints the largest difference of each case. Those of optimisers' steps are in relation to the step."""
    given, config = read(path)
    left, bad = {name for name in given if "/out/" in name}, False
    for case in cases(config, given):
        worst, where = 0.0, ""
        for name, full, value in results(case):
            if full not in given:
                continue
            left.discard(full)
            kind, _, rest = name.partition("/")
            before = given[f"{case.name}/in/w/{rest}"] if kind.startswith("step") else 0.0
            most = np.abs(given[full] - before).max() + 1e-6 * np.abs(before).max()
            difference = np.abs(value - given[full]).max() / max(most, 1e-300)
            if not difference <= worst:
                worst, where = difference, name
        bad |= not worst <= MOST
        print(f"{case.name}: {worst:.1e} {where}")
    for name in sorted(left):
        print(f"{name} is not computed")
    return int(bad or bool(left))


def main(arguments):
    match arguments:
        case ["config", path]:
            print(json.dumps(read(path)[1], indent=1))
        case ["check", path]:
            return check(path)
        case ["draw", config, path]:
            with open(config) as file:
                draw(json.load(file), path)
        case _:
            print(__doc__.split("\n\n")[1], file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
