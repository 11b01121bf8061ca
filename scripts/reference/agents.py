"""The two whole agents: one gradient step, with everything that leads to it."""

import autograd.numpy as anp
import numpy as np
from autograd import grad, make_vjp

from formulas import (
    actor_losses,
    agc,
    balanced,
    binary_cross_entropy,
    bins,
    bins_mean,
    bounded,
    bounded_normal,
    categorical_kl,
    conv,
    core,
    cross_entropy,
    decode_v3,
    dense,
    divisor,
    encode_v3,
    follow_range,
    gaussian_kl,
    imagined_returns,
    laprop,
    layers,
    mixed,
    norm,
    normal_entropy,
    normal_log_prob,
    observe_v1,
    observe_v3,
    one_hot,
    replay_returns,
    sg,
    shapes_core,
    shapes_dense,
    shapes_images,
    shapes_stack,
    shapes_v1_cell,
    sigmoid,
    silu,
    stack,
    top_gap,
    transposed_conv,
    v1_hidden,
    v1_imagine,
)

LOW, HIGH = -0.8, 1.3  # the range of returns before the step


def flags_of(c, rows, steps):
    """Beginnings, and cut-off and terminal ends. One episode ends, one is cut off, and one starts inside the window."""
    middle = steps // 2
    first = c.flags("is_first", rows, steps, [(0, 0), (0, middle), (1, steps - 1)])
    last = c.flags("is_last", rows, steps, [(0, middle - 1), (1, steps - 2)])
    return first, last, c.flags("is_terminal", rows, steps, [(0, middle - 1)])


def head_draws(c, heads):
    """Biases of two-hot heads whose outermost bins, which are huge, have tiny probabilities, and a continue head that
    mostly continues."""
    slope = lambda s: -36 * np.abs(np.linspace(-1, 1, s[0])) + 0.15 * c.rng.standard_normal(s)
    return {
        name: slope if "continue" not in name and "con/" not in name else lambda s: np.full(s, 2.0) for name in heads
    }


def moments(c, shapes, names, size):
    """First and second moments of an optimiser, of about this size for each weight's gradient."""
    first = {n: c.normal(f"{names[0]}/{n}", *s, scale=0.3 * size) for n, s in shapes.items()}
    second = {n: c.uniform(f"{names[1]}/{n}", *s, low=0.05 * size**2, high=0.5 * size**2) for n, s in shapes.items()}
    return first, second


def flat(x):
    """[B, T, ..] as [B T, ..]."""
    return x.reshape(-1, *x.shape[2:])


def value_losses(logits, slow_logits, returns, b, k):
    """The cross-entropies of returns and of the slow network's means, for all states but the last."""
    slow = bins_mean(sg(slow_logits), b)
    ce_returns, ce_slow = cross_entropy(logits[:, :-1], returns, b), cross_entropy(logits[:, :-1], slow[:, :-1], b)
    return ce_returns + k["slow_reg"] * ce_slow, slow


# V1's networks with options


def head_sizes(sizes):
    return {
        "reward": (sizes["reward_layers"], sizes["bins"]),
        "continue": (sizes["continue_layers"], 1),
        "value": (sizes["value_layers"], sizes["bins"]),
        "slow_value": (sizes["value_layers"], sizes["bins"]),
        "actor": (sizes["actor_layers"], 2 * sizes["action"]),
    }


def modern_shapes(sizes):
    depth, feat = sizes["depth"], sizes["stoch"] + sizes["deter"]
    shapes, inputs = {}, 3
    for i, width in enumerate((depth, 2 * depth, 4 * depth, 8 * depth), 1):
        name = f"encode/h{i}"
        shapes |= {f"{name}/kernel": (4, 4, inputs, width), f"{name}/bias": (width,), f"{name}/scale": (width,)}
        inputs = width
    cell = [sizes[key] for key in ("stoch", "deter", "hidden", "action")]
    shapes |= shapes_v1_cell(*cell, 32 * depth, True, "dynamics/")
    shapes |= shapes_dense("decode/h1", feat, 32 * depth)
    inputs = 32 * depth
    for i, kernel, width in ((2, 5, 4 * depth), (3, 5, 2 * depth), (4, 6, depth), (5, 6, 3)):
        name = f"decode/h{i}"
        shapes |= {f"{name}/kernel": (kernel, kernel, width, inputs), f"{name}/bias": (width,)}
        shapes |= {f"{name}/scale": (width,)} if i < 5 else {}
        inputs = width
    for name, (count, out) in head_sizes(sizes).items():
        inputs = feat
        for i in range(count):
            shapes |= shapes_dense(f"{name}/h{i}", inputs, sizes["units"], f"{name}/h{i}/scale")
            inputs = sizes["units"]
        shapes |= shapes_dense(f"{name}/hout", inputs, out)
    return shapes


def modern_head(w, name, x, sizes, k):
    for i in range(head_sizes(sizes)[name][0]):
        x = v1_hidden(w, f"{name}/h{i}", x, k)
    return dense(w, f"{name}/hout", x)


class Modern:
    """The agent's data and networks; weights are arguments."""

    def __init__(self, c):
        self.k, self.sizes = c.config, c.config["modern"]
        sizes = self.sizes
        self.batch, self.time, self.horizon = [sizes[key] for key in ("batch", "time", "horizon")]
        batch, time, rows, stoch = self.batch, self.time, self.batch * self.time, sizes["stoch"]
        self.image = c.image("image_u8", batch, time, 64, 64, 3).astype(np.float64)
        self.action = c.uniform("action", batch, time, sizes["action"], low=-1)
        self.reward = c.normal("reward", batch, time, scale=1.5)
        self.first, self.last, self.terminal = flags_of(c, batch, time)
        self.noise = {of: c.normal(f"noise/{of}", time, batch, stoch) for of in ("prior", "post")}
        self.noise["act"] = c.normal("noise/act", self.horizon, rows, sizes["action"])
        self.noise["img"] = c.normal("noise/img", self.horizon, rows, stoch)
        self.low, self.high = c.scalar("return_low", LOW), c.scalar("return_high", HIGH)
        self.bins = bins(sizes["bins"], self.k["bins_limit"])
        self.shapes = modern_shapes(sizes)
        draws = head_draws(c, [f"{head}/hout/bias" for head in ("reward", "continue", "value", "slow_value")])
        self.w = c.weights(self.shapes, draws=draws)

    def head(self, w, name, x):
        return modern_head(w, name, x, self.sizes, self.k)

    def mean(self, w, name, x):
        return bins_mean(self.head(w, name, x), self.bins)

    def observe(self, w):
        k, x = self.k, flat(self.image) / 255 - 0.5
        for i in range(1, 5):
            x = silu(norm(conv(w, f"encode/h{i}", x, 2), w[f"encode/h{i}/scale"], k["rms_eps"]))
        embed = x.reshape(self.batch, self.time, -1)
        carry = np.zeros((self.batch, self.sizes["deter"])), np.zeros((self.batch, self.sizes["stoch"]))
        states = observe_v1(w, carry, (bounded(self.action), embed, self.first), self.noise, k, "dynamics/")
        return {"embed": embed, **states, "feat": anp.concatenate([states["post/stoch"], states["post/deter"]], -1)}

    def decode(self, w, feat):
        x = dense(w, "decode/h1", flat(feat)).reshape(self.batch * self.time, 1, 1, -1)
        for i in range(2, 6):
            x = transposed_conv(w, f"decode/h{i}", x)
            x = silu(norm(x, w[f"decode/h{i}/scale"], self.k["rms_eps"])) if i < 5 else x
        return x.reshape(self.image.shape)

    def model(self, w):
        k, found = self.k, self.observe(w)
        mean, pixels = self.decode(w, found["feat"]), self.image / 255 - 0.5
        image = anp.sum(0.5 * (pixels - mean) ** 2 + 0.5 * np.log(2 * np.pi), (2, 3, 4))
        reward = cross_entropy(self.head(w, "reward", found["feat"]), self.reward, self.bins)
        target = (1 - self.terminal) * (1 - 1 / k["horizon"])
        con = binary_cross_entropy(self.head(w, "continue", found["feat"])[..., 0], target)
        sides = [(found[f"{of}/mean"], found[f"{of}/std"]) for of in ("post", "prior")]
        kl, dyn, rep = balanced(lambda post, prior: gaussian_kl(*post, *prior), *sides, k)
        loss = (
            anp.mean(image)
            + anp.mean(reward)
            + anp.mean(con)
            + k["dyn_scale"] * anp.mean(dyn)
            + k["rep_scale"] * anp.mean(rep)
        )
        losses = dict(image_loss=image, reward_loss=reward, continue_loss=con, dyn_loss=dyn, rep_loss=rep)
        return dict(found, **losses, kl=kl, model_loss=loss, image_mean=mean)

    def imagine(self, w, found):
        k, noise = self.k, self.noise
        deter, stoch = flat(sg(found["post/deter"])), flat(sg(found["post/stoch"]))
        feats, actions, entropy = [anp.concatenate([stoch, deter], -1)], [], []
        for h in range(self.horizon):
            raw = self.head(w, "actor", sg(feats[-1]))
            mean, std = bounded_normal(*anp.split(raw, 2, -1), k)
            actions.append(mean + std * noise["act"][h])
            entropy.append(normal_entropy(std))
            deter, (mean, std) = v1_imagine(w, deter, stoch, bounded(actions[-1]), k, "dynamics/")
            stoch = mean + std * noise["img"][h]
            feats.append(anp.concatenate([stoch, deter], -1))
        feat = anp.stack(feats, 1)
        reward, value = self.mean(w, "reward", feat), self.mean(w, "value", feat)
        con = sigmoid(self.head(w, "continue", feat)[..., 0])
        disc = 1.0 if k["contdisc"] else 1 - 1 / k["horizon"]
        returns, weight = imagined_returns(reward, con, value, disc, k["lam"])
        states = dict(feat=feat, reward=reward, value=value, con=con, returns=returns, weight=weight)
        return dict(states, action=anp.stack(actions, 1), entropy=anp.stack(entropy, 1))

    def imagined_value(self, w, imag):
        feat = sg(imag["feat"])
        each, slow = value_losses(
            self.head(w, "value", feat), self.head(w, "slow_value", feat), sg(imag["returns"]), self.bins, self.k
        )
        return anp.mean(sg(imag["weight"])[:, :-1] * each), slow

    def replayed_value(self, w, feat, imag):
        boot = sg(imag["returns"])[:, 0].reshape(self.batch, self.time)
        returns = replay_returns(self.reward, self.terminal, self.last, boot, self.k)
        each, _ = value_losses(
            self.head(w, "value", feat), self.head(w, "slow_value", feat), returns, self.bins, self.k
        )
        return anp.mean((1 - self.last[:, :-1]) * each), returns


def modern(c):
    a = Modern(c)
    k, w = a.k, a.w
    found = a.model(w)
    imag = a.imagine(w, found)
    low, high, _ = follow_range(a.low, a.high, imag["returns"], k)
    before, after = divisor(a.low, a.high, k), divisor(low, high, k)
    c.margin(anp.abs(found["kl"] - k["free_nats"]), 5e-3)
    below = np.sum(found["kl"] < k["free_nats"])
    c.margin(anp.array([below - 1, found["kl"].size - below - 1]), 0)
    c.margin(anp.abs(anp.abs(imag["action"]) - 1), 1e-4)
    c.margin(anp.array([a.high - a.low - k["ret_limit"], high - low - k["ret_limit"]]), 1e-2)
    parts = ("embed", "kl", "model_loss", "image_loss", "reward_loss", "continue_loss", "dyn_loss", "rep_loss")
    c.put(**{name: found[name] for name in parts})
    c.put_all("post", {name: found[f"post/{name}"] for name in ("deter", "mean", "std", "stoch")})
    c.put_all("prior", {name: found[f"prior/{name}"] for name in ("mean", "std", "stoch")})
    # The rows are those of the first sequence's second image, here and below.
    c.put(image_mean_rows=found["image_mean"][0, 1, ::8], image_mean_sums=found["image_mean"].sum((2, 3)))
    c.put(reward_mean=a.mean(w, "reward", found["feat"]))
    c.put_all("imag", imag)
    imagined, slow = a.imagined_value(w, imag)
    replayed, returns = a.replayed_value(w, found["feat"], imag)
    c.put(value_loss_imagined=imagined, value_loss_replay=replayed, replay_returns=returns, slow_prediction=slow)
    c.put(value_loss=imagined + k["repval_scale"] * replayed)
    c.put(return_low=low, return_high=high, scale_before=before, scale_after=after)

    # Gradients.
    group = lambda *names: {n: v for n, v in w.items() if n.split("/")[0] in names}
    model = group("encode", "dynamics", "decode", "reward", "continue")
    actor, value = group("actor"), group("value")
    grads = {"model": grad(lambda l: a.model(l)["model_loss"])(model)}

    def actor_loss(l):
        imag = a.imagine({**w, **l}, found)
        losses = [
            actor_losses(*[imag[n] for n in ("returns", "value", "weight", "entropy")], s, k) for s in (before, after)
        ]
        return anp.stack([*losses[0].values(), losses[1]["loss"]])

    pull, losses = make_vjp(actor_loss)(actor)
    for i, name in enumerate(("", "_stop_baseline", "_unweighted_entropy", "_scale_after")):
        c.out[f"actor_loss{name}"] = losses[i]
        gradient = pull(np.eye(4)[i])
        if name:
            c.put_all(f"grad{name}", gradient)
        else:
            grads["actor"] = gradient

    def value_loss(l):
        all_ = {**w, **l}
        return a.imagined_value(all_, imag)[0] + k["repval_scale"] * a.replayed_value(all_, found["feat"], imag)[0]

    grads["value"] = grad(value_loss)(value)
    through = grad(lambda l: k["repval_scale"] * a.replayed_value({**w, **l}, a.observe(l)["feat"], imag)[0])
    c.put_all("grad_repval", through(group("encode", "dynamics")))

    # Keras' Adam.
    t, b1, b2 = a.sizes["opt_step"], k["adam_b1"], k["adam_b2"]
    stepped = {}
    for name, gradients in grads.items():
        c.put_all("grad", gradients)
        size = anp.sqrt(sum(anp.sum(g * g) for g in gradients.values()))
        c.out[f"{name}_grad_norm"] = size
        clip = min(1.0, k["grad_clip"] / size)
        mean = clip * size / np.sqrt(sum(g.size for g in gradients.values()))
        first, second = moments(c, {n: a.shapes[n] for n in gradients}, ("adam_m", "adam_v"), float(mean))
        for n, g in gradients.items():
            m, v = b1 * first[n] + (1 - b1) * clip * g, b2 * second[n] + (1 - b2) * (clip * g) ** 2
            rate = k[f"{name}_lr"] * np.sqrt(1 - b2**t) / (1 - b1**t)
            stepped[n] = w[n] - rate * m / (anp.sqrt(v) + k["adam_eps"])
            c.out[f"adam_m/{n}"], c.out[f"adam_v/{n}"] = m, v
    rate = k["slow_rate"]
    for n in value:
        slow = f"slow_{n}"
        stepped[slow] = rate * stepped[n] + (1 - rate) * w[slow]
    c.put_all("step", stepped)


# DreamerV3


HEADS = {"rew": "rewlayers", "con": "conlayers", "val": "vallayers", "slowval": "vallayers", "pol": "pollayers"}
OUTPUTS = {"rew": "logits", "con": "logit", "val": "logits", "slowval": "logits"}


def head_layers(name, count):
    return [(f"{name}/mlp/linear{i}", f"{name}/mlp/norm{i}/scale") for i in range(count)]


def v3_shapes(sizes):
    stoch, deter, hidden, units = [sizes[key] for key in ("stoch", "deter", "hidden", "units")]
    flat_stoch = stoch * sizes["classes"]
    shapes = shapes_images(sizes, deter, flat_stoch)
    shapes |= shapes_core(deter, sizes["blocks"], hidden, flat_stoch, sizes["action"], "dyn/")
    tokens = 16 * sizes["depth"] * sizes["mults"][3]
    shapes |= shapes_stack(layers("prior", sizes["imglayers"], "dyn/"), deter, hidden)
    shapes |= shapes_stack(layers("obs", sizes["obslayers"], "dyn/"), deter + tokens, hidden)
    for name in ("dyn/priorlogit", "dyn/obslogit"):
        shapes |= shapes_dense(name, hidden, flat_stoch)
    for name, count in HEADS.items():
        shapes |= shapes_stack(head_layers(name, sizes[count]), deter + flat_stoch, units)
        out = 1 if name == "con" else sizes["bins"]
        for output in ["action/mean", "action/stddev"] if name == "pol" else [OUTPUTS[name]]:
            shapes |= shapes_dense(f"{name}/head/{output}", units, sizes["action"] if name == "pol" else out)
    return shapes


class V3:
    """The agent's data and networks; weights are arguments."""

    def __init__(self, c):
        self.k, self.sizes = c.config, c.config["v3"]
        sizes = self.sizes
        self.batch, self.time, self.horizon = [sizes[key] for key in ("batch", "time", "horizon")]
        batch, time, rows = self.batch, self.time, self.batch * self.time
        stoch, classes, action = [sizes[key] for key in ("stoch", "classes", "action")]
        self.image = c.image("image_u8", batch, time, 64, 64, 3).astype(np.float64)
        self.action = c.uniform("action", batch, time, action, low=-1)
        self.reward = c.normal("reward", batch, time, scale=2.0)
        self.first, self.last, self.terminal = flags_of(c, batch, time)
        deter = c.uniform("carry/deter", batch, sizes["deter"], low=-1)
        self.carry = deter, c.take("carry/stoch", (batch, stoch, classes), c.one_hots)
        self.post, self.img = (
            c.gumbel("noise/post", time, batch, stoch, classes),
            c.gumbel("noise/img", self.horizon, rows, stoch, classes),
        )
        self.act = c.normal("noise/act", self.horizon + 1, rows, action)
        self.low, self.high = c.scalar("return_low", LOW), c.scalar("return_high", HIGH)
        self.bins = bins(sizes["bins"], self.k["bins_limit"])
        self.shapes = v3_shapes(sizes)
        draws = head_draws(c, [f"{name}/head/{output}/bias" for name, output in OUTPUTS.items()])
        self.w = c.weights(self.shapes, draws=draws)

    def hidden(self, w, name, x):
        return stack(w, head_layers(name, self.sizes[HEADS[name]]), x, self.k)

    def head(self, w, name, x):
        return dense(w, f"{name}/head/{OUTPUTS[name]}", self.hidden(w, name, x))

    def policy(self, w, x):
        x = self.hidden(w, "pol", x)
        return bounded_normal(dense(w, "pol/head/action/mean", x), dense(w, "pol/head/action/stddev", x), self.k)

    def losses(self, w):
        """Everything: the losses are below `loss/`."""
        k, batch, time = self.k, self.batch, self.time
        tokens, gap = encode_v3(w, flat(self.image), k)
        tokens = tokens.reshape(batch, time, -1)
        counts = dict(priors=self.sizes["imglayers"], posts=self.sizes["obslayers"])
        found, nearest = observe_v3(w, self.carry, (self.action, tokens, self.first), self.post, k, "dyn/", **counts)
        deter, stoch = found["post/deter"], found["post/stoch"].reshape(batch, time, -1)
        feat = anp.concatenate([deter, stoch], -1)
        mean = decode_v3(w, flat(deter), flat(stoch), k).reshape(self.image.shape)
        kl_of = lambda post, prior: anp.sum(categorical_kl(post[0], prior[0], k["unimix"]), -1)
        kl, dyn, rep = balanced(kl_of, (found["post/logit"],), (found["prior/logit"],), k)
        loss = {"dyn": dyn, "rep": rep, "image": anp.sum((mean - self.image / 255) ** 2, (2, 3, 4))}
        loss["rew"] = cross_entropy(self.head(w, "rew", feat), self.reward, self.bins)
        target = (1 - self.terminal) * (1 - 1 / k["horizon"])
        loss["con"] = binary_cross_entropy(self.head(w, "con", feat)[..., 0], target)
        imag, nearest_imagined = self.imagine(
            {n: sg(v) for n, v in w.items()}, sg(found["post/deter"]), sg(found["post/stoch"])
        )
        # The losses of behaviour.
        low, high, _ = follow_range(self.low, self.high, imag["returns"], k)
        scales = {"scale_before": divisor(self.low, self.high, k), "scale_after": divisor(low, high, k)}
        mean_action, std = self.policy(w, imag["feat"][:, :-1])
        log_prob, entropy = normal_log_prob(imag["action"][:, :-1], mean_action, std), normal_entropy(std)
        weight = imag["weight"][:, :-1]
        per_state = lambda x: anp.mean(x, 1).reshape(batch, time)
        policy = {}
        for name, scale in scales.items():
            advantage = (imag["returns"] - imag["value"][:, :-1]) / scale
            policy[name] = per_state(-weight * (log_prob * advantage + k["actent"] * entropy))
        each, _ = value_losses(
            self.head(w, "val", imag["feat"]), self.head(w, "slowval", imag["feat"]), imag["returns"], self.bins, k
        )
        loss["value"], loss["policy"] = per_state(weight * each), policy["scale_before"]
        boot = imag["returns"][:, 0].reshape(batch, time)
        returns = replay_returns(self.reward, self.terminal, self.last, boot, k)
        each, _ = value_losses(self.head(w, "val", feat), self.head(w, "slowval", feat), returns, self.bins, k)
        loss["repval"] = (1 - self.last[:, :-1]) * each
        factors = {"dyn": k["dyn_scale"], "rep": k["rep_scale"], "repval": k["repval_scale"]}
        rest = sum(factors.get(n, 1.0) * anp.mean(v) for n, v in loss.items() if n != "policy")
        totals = [rest + anp.mean(policy[name]) for name in ("scale_before", "scale_after")]
        imag |= {"log_prob": sg(log_prob), "entropy": sg(entropy)}
        results = dict(tokens=tokens, kl=kl, **scales, return_low=low, return_high=high, replay_returns=returns)
        results |= found | {f"imag/{n}": v for n, v in imag.items()} | {f"loss/{n}": v for n, v in loss.items()}
        results |= {"total_loss": totals[0], "scale_after_total_loss": totals[1]}
        results |= {"scale_after_policy_loss": policy["scale_after"], "image_mean": mean}
        return results, {"maximum": gap, "sample": anp.minimum(nearest, nearest_imagined)}

    def imagine(self, w, deter, stoch):
        k, gap = self.k, np.inf
        deter, stoch = flat(deter), flat(stoch)
        feats, actions = [], []
        for h in range(self.horizon + 1):
            feats.append(np.concatenate([deter, stoch.reshape(len(stoch), -1)], -1))
            mean, std = self.policy(w, feats[-1])
            actions.append(mean + std * self.act[h])
            if h == self.horizon:
                break
            deter = core(w, deter, stoch.reshape(len(stoch), -1), actions[-1], k, "dyn/")["deter"]
            x = stack(w, layers("prior", self.sizes["imglayers"], "dyn/"), deter, k)
            logits = dense(w, "dyn/priorlogit", x).reshape(stoch.shape)
            scores = mixed(logits, k["unimix"])[1] + self.img[h]
            gap = min(gap, np.min(top_gap(scores)))
            stoch = one_hot(np.argmax(scores, -1), stoch.shape[-1])
        feat, action = np.stack(feats, 1), np.stack(actions, 1)
        reward, value = bins_mean(self.head(w, "rew", feat), self.bins), bins_mean(self.head(w, "val", feat), self.bins)
        con = sigmoid(self.head(w, "con", feat)[..., 0])
        disc = 1.0 if k["contdisc"] else 1 - 1 / k["horizon"]
        returns, weight = imagined_returns(reward, con, value, disc, k["lam"])
        return dict(feat=feat, action=action, reward=reward, value=value, con=con, returns=returns, weight=weight), gap


def v3(c):
    a = V3(c)
    k, w = a.k, a.w
    results, gaps = a.losses(w)
    c.margin(gaps["maximum"], 3e-6), c.margin(gaps["sample"], 1e-3)
    c.margin(np.abs(results["kl"] - k["free_nats"]), 5e-3)
    below = np.sum(results["kl"] < k["free_nats"])
    c.margin(np.array([below - 1, results["kl"].size - below - 1]), 0)
    c.margin(np.abs(np.abs(results["imag/action"]) - 1), 1e-4)
    c.margin(np.array([a.high - a.low, results["return_high"] - results["return_low"]]) - k["ret_limit"], 1e-2)
    mean = results.pop("image_mean")
    c.put(**results, image_mean_rows=mean[0, 1, ::8], image_mean_sums=mean.sum((2, 3)))

    trained = {n: v for n, v in w.items() if not n.startswith("slowval/")}
    slow = {n: v for n, v in w.items() if n.startswith("slowval/")}

    def totals(l):
        found = a.losses({**slow, **l})[0]
        return anp.stack([found["total_loss"], found["scale_after_total_loss"]])

    pull, _ = make_vjp(totals)(trained)
    plain, after = pull(np.array([1.0, 0.0])), pull(np.array([0.0, 1.0]))
    policy = [n for n in trained if n.startswith("pol/")]
    c.put_all("grad", plain), c.put_all("grad_scale_after", {n: after[n] for n in policy})

    rate, t = (
        c.scalar("opt_lr", a.sizes["opt_lr"]),
        int(c.take("opt_step", (), lambda _: np.int64(a.sizes["opt_step"]))),
    )
    mean = {n: float(np.sqrt(np.mean(g * g))) + 1e-9 for n, g in plain.items()}
    mu = {n: c.normal(f"opt_mu/{n}", *a.shapes[n], scale=0.3) for n in trained}
    nu = {
        n: c.take(f"opt_nu/{n}", a.shapes[n], lambda s, n=n: mean[n] ** 2 * c.rng.uniform(1e-3, 1e-2, s))
        for n in trained
    }
    clipped = {n: agc(plain[n], w[n], k) for n in trained}
    step = {n: laprop(w[n], clipped[n], mu[n], nu[n], t, rate, k) for n in trained}
    ratios = np.array(
        [np.linalg.norm(plain[n]) / (k["agc_clip"] * max(k["agc_pmin"], np.linalg.norm(w[n]))) for n in trained]
    )
    c.margin(np.abs(ratios - 1), 1e-3)
    c.put(clipped_tensors=np.sum(ratios > 1))
    new = {n: parts[0] for n, parts in step.items()}
    (
        c.put_all("opt_mu", {n: parts[1] for n, parts in step.items()}),
        c.put_all("opt_nu", {n: parts[2] for n, parts in step.items()}),
    )
    for n in slow:
        new[n] = k["slow_rate"] * new[n.removeprefix("slow")] + (1 - k["slow_rate"]) * w[n]
    c.put_all("step", new)
    stepped = {n: laprop(w[n], agc(after[n], w[n], k), mu[n], nu[n], t, rate, k)[0] for n in policy}
    c.put_all("step_scale_after", stepped)


AGENTS = {"modern": modern, "v3": v3}
