"""Remakes numbers.json: returns, and the statistics of rliable (PyPI, Google Research) for them.

    python3 -m venv venv && venv/bin/pip install rliable==1.2.0 'pandas<3' && venv/bin/python remake.py > numbers.json
"""

import json

import arch
import numpy
import scipy
from rliable import library, metrics

RESAMPLES = 50_000


def interval(scores, figure):
    # rliable draws from numpy's global generator.
    numpy.random.seed(0)
    points, intervals = library.get_interval_estimates(
        {"x": scores}, lambda *arrays: numpy.array([figure(*arrays)]), reps=RESAMPLES
    )
    return {"value": float(points["x"][0]), "low": float(intervals["x"][0][0]), "high": float(intervals["x"][1][0])}


def case(name, runs, baseline_runs, tasks, seed):
    generator = numpy.random.default_rng(seed)
    # Returns as studies have them: tasks of different difficulty, heavy tails, whole numbers (ties) in the last task.
    centre = generator.uniform(0.2, 1.5, tasks)
    ours = centre + generator.standard_t(3, (runs, tasks)) * 0.3
    theirs = centre - 0.15 + generator.standard_t(3, (baseline_runs, tasks)) * 0.3
    ours[:, -1], theirs[:, -1] = ours[:, -1].round(), theirs[:, -1].round()
    return {
        "name": name,
        "ours": ours.T.tolist(),
        "theirs": theirs.T.tolist(),
        "interquartile_mean": interval(ours, metrics.aggregate_iqm),
        "mean": interval(ours, metrics.aggregate_mean),
        "probability_of_improvement": interval([ours, theirs], metrics.probability_of_improvement),
    }


print(
    json.dumps(
        {
            "made_by": "remake.py next to this file",
            "rliable": "1.2.0",
            "versions": {"arch": arch.__version__, "numpy": numpy.__version__, "scipy": scipy.__version__},
            "resamples": RESAMPLES,
            "note": "ours and theirs: for each task its runs' returns",
            "cases": [
                case("nine runs of six tasks, as the main experiments", 9, 9, 6, 1),
                case("three runs of one task, as the preliminary ones", 3, 3, 1, 2),
                case("more runs than the baseline has", 10, 4, 3, 3),
            ],
        },
        indent=1,
    )
)
