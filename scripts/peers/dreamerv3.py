#!/usr/bin/env python3
"""Measures a gradient step and a policy step of DreamerV3's original program, in JAX.

    scripts/peers/dreamerv3.py CHECKOUT [--size size1m] [--precision f32|bf16] [--threads 2] [--steps 5] [--set KEY=VALUE]...

CHECKOUT is a clone of github.com/danijar/dreamerv3 from 2025 or later, in which `dreamerv3/` and `embodied/` lie next to each
other. The program prints one line of JSON with the keys of `dreamgraft bench`, for scripts/compare. It adds `parameters`, the
number of trained parameters, and `losses`, the total loss of the first and of the last step.

A step is the original's `Agent.train`, compiled as one function whose state is donated: replay context, all losses, gradients,
optimiser and slow value model. The class around it, which distributes arrays over devices and saves checkpoints, is left out, and
so are the replay memory and the environment. Like `dreamgraft bench`, the program trains on one batch of random numbers.

The number of threads is limited by the CPU affinity of the process, which XLA follows.
"""

import argparse
import importlib.metadata
import json
import os
import statistics
import sys
import time

BEGAN = time.perf_counter()
ACTION_SIZE = 6
POLICY_STEPS = 300
DTYPES = {"f32": "float32", "bf16": "bfloat16"}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", help="a clone of github.com/danijar/dreamerv3")
    parser.add_argument("--size", default="size1m", help="the name of a size in dreamerv3/configs.yaml")
    parser.add_argument("--precision", choices=DTYPES, default="f32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5, help="gradient steps to measure, after the one that compiles")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of dreamerv3/configs.yaml")
    arguments = parser.parse_args()
    if arguments.steps < 1:
        parser.error("--steps must be at least 1")
    if not os.path.isfile(os.path.join(arguments.checkout, "dreamerv3", "rssm.py")):
        parser.error(f"there is no dreamerv3/rssm.py in {arguments.checkout}")
    return arguments


def limit_threads(threads):
    allowed = sorted(os.sched_getaffinity(0))
    if not 1 <= threads <= len(allowed):
        sys.exit(f"dreamerv3.py: {threads} threads were requested, and this process may use {len(allowed)} cores")
    os.sched_setaffinity(0, allowed[:threads])


def configuration(arguments):
    """The published defaults with a size and the settings from the command line, as the original's main function merges them."""
    import elements
    import ruamel.yaml

    with open(os.path.join(arguments.checkout, "dreamerv3", "configs.yaml")) as file:
        published = ruamel.yaml.YAML(typ="safe").load(file)
    config = elements.Config(published["defaults"]).update(published[arguments.size])
    config = elements.Flags(config).parse([f"--{setting}" for setting in arguments.set])
    names = ("seed", "jax", "batch_size", "batch_length", "replay_context", "report_length", "replica", "replicas")
    return elements.Config(**config.agent, logdir="", **{name: config[name] for name in names})


def spaces():
    import elements
    import numpy as np

    observations = {
        "image": elements.Space(np.uint8, (64, 64, 3)),
        "reward": elements.Space(np.float32),
        "is_first": elements.Space(bool),
        "is_last": elements.Space(bool),
        "is_terminal": elements.Space(bool),
    }
    return observations, {"action": elements.Space(np.float32, (ACTION_SIZE,), -1, 1)}


def random_batch(agent, shape):
    """One batch of what the replay memory holds; no episode begins or ends in it."""
    import numpy as np

    random = np.random.default_rng(0)
    batch = {
        "image": random.integers(0, 256, (*shape, 64, 64, 3), np.uint8),
        "reward": random.standard_normal(shape, np.float32),
        "action": random.uniform(-1, 1, (*shape, ACTION_SIZE)).astype(np.float32),
    }
    for key, space in {**agent.obs_space, **agent.ext_space}.items():
        batch.setdefault(key, np.zeros((*shape, *space.shape), space.dtype))
    return batch


def peak_memory():
    with open("/proc/self/status") as file:
        kilobytes = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    return kilobytes * 1024 / 1e6


def measure(arguments):
    config = configuration(arguments)
    # Python would find this file before a package of the same name that has no __init__.py.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [os.path.abspath(arguments.checkout)] + [path for path in sys.path if os.path.abspath(path) != here]
    import jax
    import ninjax
    import numpy as np
    from dreamerv3.agent import Agent
    from embodied.jax import internal

    internal.setup(platform="cpu", compute_dtype=DTYPES[arguments.precision])
    observations, actions = spaces()
    # A call of Agent would also create the class around the model.
    agent = object.__new__(Agent)
    agent.__init__(observations, actions, config)

    def seed(number):
        return jax.device_put(np.array([number, 0], np.uint32))

    shape = (config.batch_size, config.batch_length + config.replay_context)
    numbers = random_batch(agent, shape)
    batch = jax.device_put(numbers)
    _, carry = jax.jit(lambda: ninjax.pure(agent.init_train)({}, config.batch_size, seed=None))()
    train = ninjax.pure(agent.train)
    initialise = jax.jit(lambda carry, batch, seed: train({}, carry, batch, seed=seed, create=True, modify=True, ignore=True)[0])
    state = jax.block_until_ready(initialise(carry, batch, seed(0)))
    ready = time.perf_counter() - BEGAN

    step = jax.jit(lambda state, carry, batch, seed: train(state, carry, batch, seed=seed), donate_argnums=0)
    seeds = [seed(number) for number in range(arguments.steps + 1)]
    times, losses = [], []
    for number in range(arguments.steps + 1):
        began = time.perf_counter()
        state, (carry, _, metrics) = jax.block_until_ready(step(state, carry, batch, seeds[number]))
        times.append(time.perf_counter() - began)
        losses.append(float(jax.device_get(metrics["opt/loss"])))
        if number == 0:
            first = time.perf_counter() - BEGAN
    if not np.isfinite(losses).all():
        sys.exit(f"dreamerv3.py: a loss is not finite: {losses}")
    times = times[1:]

    policy_times = measure_policy(agent, state, {key: numbers[key][:1, 0] for key in observations}, seed)
    return {
        "peer": f"dreamerv3, jax-{importlib.metadata.version('jax')}",
        "size": arguments.size,
        "set": arguments.set,
        "precision": arguments.precision,
        "encoder": "learned",
        "step_s_median": statistics.median(times),
        "step_s_min": min(times),
        "step_s_max": max(times),
        "n": len(times),
        "start_to_ready_s": ready,
        "start_to_first_step_s": first,
        "policy_ms_median": statistics.median(policy_times),
        "policy_ms_p95": sorted(policy_times)[len(policy_times) * 95 // 100],
        "peak_rss_mb": peak_memory(),
        "threads": arguments.threads,
        "device": "cpu",
        "parameters": int(jax.device_get(metrics["opt/param_count"])),
        "losses": [losses[0], losses[-1]],
    }


def measure_policy(agent, state, observation, seed):
    """Milliseconds of policy steps: an observation goes in from NumPy, and the action comes out to NumPy."""
    import jax
    import ninjax

    act = jax.jit(lambda state, carry, observation, seed: ninjax.pure(agent.policy)(state, carry, observation, seed=seed)[1])
    _, carry = jax.jit(lambda: ninjax.pure(agent.init_policy)({}, 1, seed=None))()
    seeds = [seed(number) for number in range(POLICY_STEPS + 1)]
    times = []
    for number in range(POLICY_STEPS + 1):
        began = time.perf_counter()
        carry, action, _ = act(state, carry, jax.device_put(observation), seeds[number])
        jax.device_get(action)
        times.append((time.perf_counter() - began) * 1e3)
    return times[1:]


if __name__ == "__main__":
    arguments = parse()
    limit_threads(arguments.threads)
    # The original prints its sizes to standard output, which is for the line of JSON.
    output = os.dup(1)
    os.dup2(2, 1)
    line = json.dumps(measure(arguments))
    os.write(output, f"{line}\n".encode())
