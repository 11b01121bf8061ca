"""The cases of returns, and of the losses of actors and values."""

import autograd.numpy as anp

from files import head_logits
from formulas import (
    actor_losses,
    bins,
    bins_mean,
    bounded,
    bounded_normal,
    cross_entropy,
    divisor,
    follow_range,
    imagined_returns,
    mixed,
    normal_entropy,
    normal_log_prob,
    one_hot,
    replay_returns,
    sg,
    sigmoid,
)

END, CUT = (0, 2), (1, 3)  # where a terminal episode ends, and where another one is cut off


def return_scale(c):
    rows, horizon = c.size("scale", "rows", "horizon")
    k, zero = c.config, c.name.endswith("zero")
    returns = c.normal("returns", 3, rows, horizon, scale=60.0 if zero else 30.0, shift=7.0)
    low, high = c.scalar("low", 0.0 if zero else -0.3), c.scalar("high", 0.0 if zero else 0.65)
    found = {name: [] for name in ("scale_before", "low", "high", "scale_after", "percentile_low", "percentile_high")}
    for one in returns:
        found["scale_before"].append(divisor(low, high, k))
        low, high, percentiles = follow_range(low, high, one, k)
        for name, value in zip(list(found)[1:], (low, high, divisor(low, high, k), *percentiles)):
            found[name].append(value)
    c.margin(anp.abs(anp.array(found["high"]) - anp.array(found["low"]) - k["ret_limit"]), 1e-3)
    c.put(**{name: anp.stack(values) for name, values in found.items()})


def reinforce(c):
    rows, horizon, action, classes = c.size("imag", "rows", "horizon", "action", "classes")
    k, shape, discrete = c.config, (rows, horizon), c.name.endswith("discrete")
    if discrete:
        leaves = {"logits": c.normal("logits", *shape, classes)}
        index = c.take("index", shape, lambda s: c.rng.integers(0, classes, s))
    else:
        leaves = {name: c.normal(name, *shape, action) for name in ("mean_raw", "std_raw")}
        chosen = c.normal("action", *shape, action, scale=0.8)
    returns, value = c.normal("returns", *shape, scale=3.0), c.normal("value", *shape, scale=3.0)
    weight, scale = c.uniform("weight", *shape, low=0.2), c.scalar("scale", 1.7 if discrete else 2.4)

    def run(l):
        if discrete:
            probs, log_probs = mixed(l["logits"], k["unimix"])
            log_prob = anp.sum(one_hot(index, classes) * log_probs, -1)
            entropy = -anp.sum(probs * log_probs, -1)
        else:
            mean, std = bounded_normal(l["mean_raw"], l["std_raw"], k)
            log_prob, entropy = normal_log_prob(chosen, mean, std), normal_entropy(std)
        advantage = (returns - value) / scale
        loss = anp.mean(-sg(weight) * (log_prob * sg(advantage) + k["actent"] * entropy))
        return dict(log_prob=log_prob, entropy=entropy, advantage=advantage, loss=loss)

    c.put(**run(leaves))
    if discrete:
        del c.out["advantage"]
    c.means(run, leaves, {"grad": "loss"})


VARIANTS = {f"grad{variant}": f"loss{variant}" for variant in ("", "_stop_baseline", "_unweighted_entropy")}


def dynamics_trajectory(c):
    rows, horizon, action = c.size("imag", "rows", "horizon", "action")
    k = c.config
    leaves = {
        "reward": c.normal("reward", rows, horizon + 1),
        "value": c.normal("value", rows, horizon + 1, scale=3.0),
        "con": c.uniform("con", rows, horizon + 1, low=0.7, high=0.99),
        "mean_raw": c.normal("mean_raw", rows, horizon, action),
        "std_raw": c.normal("std_raw", rows, horizon, action),
    }
    scale = c.scalar("scale", 1.9)

    def run(l):
        returns, weight = imagined_returns(l["reward"], l["con"], l["value"], 1.0, k["lam"])
        entropy = normal_entropy(bounded_normal(l["mean_raw"], l["std_raw"], k)[1])
        losses = actor_losses(returns, l["value"], weight, entropy, scale, k)
        return dict(returns=returns, weight=weight, entropy=entropy, **losses)

    c.put(**run(leaves))
    c.means(run, leaves, VARIANTS)


def dynamics_rollout(c):
    rows, horizon, action, state = c.size("imag", "rows", "horizon", "action", "state")
    k, shape = c.config, (horizon, rows, action)
    start = c.normal("state", rows, state)
    p, q = c.normal("P", state, state, scale=0.4), c.normal("Q", action, state, scale=0.6)
    heads, scale, noise = c.normal("heads", state, 3), c.scalar("scale", 1.45), c.normal("noise", *shape)
    leaves = {name: c.normal(name, *shape) for name in ("mean_raw", "std_raw")}

    def run(l):
        mean, std = bounded_normal(l["mean_raw"], l["std_raw"], k)
        sample, states = mean + std * noise, [start]
        for t in range(horizon):
            states.append(anp.tanh(states[-1] @ p + bounded(sample[t]) @ q))
        states = anp.stack(states, 1)
        reward, value, con = [states @ heads[:, i] for i in range(3)]
        value, con = 2 * value, sigmoid(2 + con)
        returns, weight = imagined_returns(reward, con, value, 1.0, k["lam"])
        losses = actor_losses(returns, value, weight, normal_entropy(std).T, scale, k)
        return dict(states=states, returns=returns, weight=weight, sample=sample, **losses)

    c.put(**run(leaves))
    c.margin(anp.abs(anp.abs(c.out.pop("sample")) - 1), 1e-3)
    c.means(run, leaves, VARIANTS)


def lambda_imagined(c):
    rows, horizon = c.size("imag", "rows", "horizon")
    k, fixed = c.config, c.name.endswith("fixed_discount")

    def draw(s):
        con = c.rng.uniform(0.8, 1, s)
        con[0, 0], con[1, 0], con[2, min(2, s[1] - 1)], con[-1] = 0, 0.003, 0, 1
        return con

    leaves = {
        "reward": c.normal("reward", rows, horizon + 1),
        "con": c.take("con", (rows, horizon + 1), draw),
        "value": c.normal("value", rows, horizon + 1, scale=3.0),
    }
    disc = 1 - 1 / k["horizon"] if fixed else 1.0
    run = lambda l: dict(
        zip(("returns", "weight"), imagined_returns(l["reward"], l["con"], l["value"], disc, k["lam"]))
    )
    c.put(**run(leaves))
    c.differentiate(run, leaves, c.cotangents(c.out, ["returns"]))


def lambda_replay(c):
    rows, steps = c.size("replay", "batch", "time")
    leaves = {"reward": c.normal("reward", rows, steps), "bootstrap": c.normal("bootstrap", rows, steps, scale=3.0)}
    terminal, last = c.flags("is_terminal", rows, steps, [END]), c.flags("is_last", rows, steps, [END, CUT])
    run = lambda l: {"returns": replay_returns(l["reward"], terminal, last, l["bootstrap"], c.config)}
    c.put(**run(leaves))
    c.differentiate(run, leaves, c.cotangents(c.out, ["returns"]))


def slow_loss(c):
    rows, horizon, count = c.size("imag", "rows", "horizon", "bins")
    k, b = c.config, bins(count, c.config["bins_limit"])
    leaves = {"logits": head_logits(c, "logits", rows, horizon + 1, count)}
    slow = bins_mean(head_logits(c, "slow_logits", rows, horizon + 1, count), b)
    returns = c.normal("returns", rows, horizon, scale=3.0)
    weight = c.uniform("weight", rows, horizon + 1, low=0.2)

    def run(l):
        logits = l["logits"][:, :-1]
        ce_returns, ce_slow = cross_entropy(logits, returns, b), cross_entropy(logits, slow[:, :-1], b)
        loss = anp.mean(weight[:, :-1] * (ce_returns + k["slow_reg"] * ce_slow))
        return dict(ce_returns=ce_returns, ce_slow=ce_slow, loss=loss)

    c.put(**run(leaves), slow_prediction=slow, value=bins_mean(leaves["logits"], b))
    c.means(run, leaves, {"grad": "loss"})


def slow_update(c):
    given = c.given["slow_value/update/in/w/slow"].shape if c.given else (2, 5)
    w, rate = c.weights({"slow": given, "value": given}), c.config["slow_rate"]
    c.out["step/slow"] = rate * w["value"] + (1 - rate) * w["slow"]


def replay_value(c):
    rows, steps, count = c.size("replay", "batch", "time", "bins")
    k, b = c.config, bins(count, c.config["bins_limit"])
    leaves = {"logits": head_logits(c, "logits", rows, steps, count)}
    slow = bins_mean(head_logits(c, "slow_logits", rows, steps, count), b)
    reward, bootstrap = c.normal("reward", rows, steps), c.normal("bootstrap", rows, steps, scale=3.0)
    terminal, last = c.flags("is_terminal", rows, steps, [END]), c.flags("is_last", rows, steps, [END, CUT])
    returns = replay_returns(reward, terminal, last, bootstrap, k)

    def run(l):
        logits = l["logits"][:, :-1]
        ce_returns, ce_slow = cross_entropy(logits, returns, b), cross_entropy(logits, slow[:, :-1], b)
        loss = anp.mean((1 - last[:, :-1]) * (ce_returns + k["slow_reg"] * ce_slow))
        return dict(ce_returns=ce_returns, ce_slow=ce_slow, loss=loss, scaled_loss=k["repval_scale"] * loss)

    c.put(returns=returns, **run(leaves))
    c.means(run, leaves, {"grad": "scaled_loss"})
