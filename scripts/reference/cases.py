"""The cases of single parts, but for behaviour. Each function gives a case its inputs and puts its results."""

import autograd.numpy as anp
import numpy as np

from behaviour import (
    END,
    dynamics_rollout,
    dynamics_trajectory,
    lambda_imagined,
    lambda_replay,
    reinforce,
    replay_value,
    return_scale,
    slow_loss,
    slow_update,
)
from files import head_logits
from formulas import (
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
    elu,
    encode_v3,
    gaussian_kl,
    laprop,
    layers,
    log_softmax,
    mixed,
    norm,
    normal_entropy,
    normal_log_prob,
    observe_v1,
    observe_v3,
    one_hot,
    sg,
    shapes_core,
    shapes_dense,
    shapes_images,
    shapes_stack,
    shapes_v1_cell,
    sigmoid,
    silu,
    stack,
    straight_through,
    symexp,
    symlog,
    top_gap,
    two_hot,
)

# Norms


def rms_plain(c):
    rows, width = c.size("rms", "rows", "out")

    def draw(shape):
        x = c.rng.standard_normal(shape)
        x[1], x[2], x[3:] = 0, 0.01 * x[2], 30 * x[3:]
        return x

    leaves = {"x": c.take("x", (rows + 1, width), draw), "scale": c.normal("scale", width, scale=0.6, shift=0.6)}
    run = lambda l: {"y": norm(l["x"], l["scale"], c.config["rms_eps"])}
    c.put(**run(leaves))
    c.differentiate(run, leaves, c.cotangents(c.out, ["y"]))


def rms_silu(c):
    fixed = [-700.0, -40.0, -5.0, -1.278464542761074, 0.0, 1e-3, 40.0, 700.0]
    shape = c.given["rms_norm/silu/in/x"].shape if c.given else (19,)
    leaves = {"x": c.take("x", shape, lambda s: np.append(fixed, 2.5 * c.rng.standard_normal(s[0] - 8)))}
    run = lambda l: {"y": silu(l["x"])}
    c.put(**run(leaves))
    c.differentiate(run, leaves, c.cotangents(c.out, ["y"]))


def rms_dense(c):
    rows, inp, out = c.size("rms", "rows", "inp", "out")
    leaves = {"x": c.normal("x", rows, inp), **c.weights(shapes_dense("h", inp, out, "h/scale"))}

    def run(l):
        pre = dense(l, "h", l["x"])
        normed = norm(pre, l["h/scale"], c.config["rms_eps"])
        return {"pre": pre, "normed": normed, "y": silu(normed)}

    c.put(**run(leaves))
    c.differentiate(run, leaves, c.cotangents(c.out, ["y"]))


def rms_conv(c):
    n, h, w, cin, cout, k, stride = c.size("rms", "n", "h", "w", "cin", "cout", "k", "stride")
    shapes = {"h/kernel": (k, k, cin, cout), "h/bias": (cout,), "h/scale": (cout,)}
    leaves = {"x": c.normal("x", n, h, w, cin), **c.weights(shapes)}

    def run(l):
        pre = conv(l, "h", l["x"], stride)
        return {"pre": pre, "y": silu(norm(pre, l["h/scale"], c.config["rms_eps"]))}

    c.put(**run(leaves))
    c.differentiate(run, leaves, c.cotangents(c.out, ["y"]))


# Two-hot


def two_hot_case(c):
    small = c.name == "twohot/small"
    rows, count = c.size("twohot", "rows", "small" if small else "bins")
    b, limit = bins(count, c.config["bins_limit"]), c.config["bins_limit"]

    def targets(s):
        grid, half = np.asarray(b), count // 2
        fixed = [0.0, -1e12, 1e12, grid[0], grid[-1], grid[half + 1], grid[half - 2], 0.4 * grid[half + 1]]
        return np.append(fixed, c.rng.normal(0, 20, 30))[: s[0]]

    target = c.take("target", (rows,), targets, exact=True)
    logits = head_logits(c, "logits", rows, count)
    rows_wide = c.given[f"{c.name}/in/wide_logits"].shape[0] if c.given else 2
    wide = c.normal("wide_logits", rows_wide, count)
    even = bins(count + 1, limit)
    run = lambda l: {"cross_entropy": cross_entropy(l["logits"], target, b), "mean": bins_mean(l["logits"], b)}
    results = run({"logits": logits})
    c.put(bins=b, bins_even=even, target_probs=two_hot(target, b), wide_mean=bins_mean(wide, b), **results)
    c.put(mean_of_equal_logits=anp.array([bins_mean(anp.zeros(len(x)), x) for x in (b, even)]))
    c.differentiate(run, {"logits": logits}, c.cotangents(results, ["cross_entropy", "mean"]), each=True)


def symlog_case(c):
    shape = c.given["twohot/symlog/in/x"].shape if c.given else (9,)
    x = c.take("x", shape, lambda s: np.append([-1e6, -1e-3, 0.0, 1e-6, 2.5e4], 2 * c.rng.standard_normal(s[0] - 5)))
    y = c.take("y", shape, lambda s: np.append([-14.0, -1e-4, 0.0, 19.9], 2 * c.rng.standard_normal(s[0] - 4)))
    run = lambda l: {"symlog": symlog(l["x"]), "symexp": symexp(l["y"])}
    c.put(**run({"x": x, "y": y}))
    c.differentiate(run, {"x": x, "y": y}, c.cotangents(c.out, ["symexp", "symlog"]))


# Divergences and distributions


def balanced_kl(c):
    batch, time, stoch, classes = c.size("kl", "batch", "time", "stoch", "classes")
    k = c.config
    if c.name.endswith("gaussian"):
        shape = (batch, time, stoch)
        leaves = {}
        for of in ("post", "prior"):
            leaves[f"{of}_mean"] = c.normal(f"{of}_mean", *shape, scale=0.8)
            leaves[f"{of}_std"] = c.uniform(f"{of}_std", *shape, low=0.4, high=1.5)
        sides = lambda l, of: (l[f"{of}_mean"], l[f"{of}_std"])
        kl = lambda post, prior: gaussian_kl(*post, *prior)
    else:
        shape = (batch, time, stoch, classes)
        leaves = {
            f"{of}_logits": c.normal(f"{of}_logits", *shape, scale=s) for of, s in (("post", 1.6), ("prior", 1.2))
        }
        sides = lambda l, of: (l[f"{of}_logits"],)
        kl = lambda post, prior: anp.sum(categorical_kl(post[0], prior[0], k["unimix"]), -1)

    def run(l):
        plain, dyn, rep = balanced(kl, sides(l, "post"), sides(l, "prior"), k)
        return {
            "kl": plain,
            "dyn": dyn,
            "rep": rep,
            "loss": k["dyn_scale"] * anp.mean(dyn) + k["rep_scale"] * anp.mean(rep),
        }

    c.put(**run(leaves))
    above = int(anp.sum(c.out["kl"] > k["free_nats"]))
    c.margin(anp.array([above - 1.0, c.out["kl"].size - above - 1.0]), 0)
    c.margin(anp.abs(c.out["kl"] - k["free_nats"]), 1e-3)
    c.means(run, leaves, {"grad": "loss", "grad_dyn": "dyn", "grad_rep": "rep"})


def categorical_latent(c):
    rows, stoch, classes = c.size("cat", "rows", "stoch", "classes")
    u, shape = c.config["unimix"], (rows, stoch, classes)

    def draw(s):
        logits = 2 * c.rng.standard_normal(s)
        logits[0, 0], logits[1, 0, 0] = 0, 12
        return logits

    leaves = {name: c.take(name, shape, draw) for name in ("logits", "other_logits")}
    gumbel, uniform = c.gumbel("gumbel", *shape), c.uniform("uniform", rows, stoch)
    index = anp.argmax(mixed(leaves["logits"], u)[1] + gumbel, -1)

    def run(l):
        probs, log_probs = mixed(l["logits"], u)
        return {
            "probs": probs,
            "log_probs": log_probs,
            "sample": straight_through(index, probs),
            "entropy": -anp.sum(probs * log_probs, -1),
            "kl": categorical_kl(l["logits"], l["other_logits"], u),
            "log_prob": anp.sum(one_hot(index, classes) * log_probs, (-2, -1)),
        }

    c.put(**run(leaves))
    summed = anp.cumsum(c.out["probs"], -1)
    by_uniform = anp.argmax(summed > uniform[..., None], -1)
    c.margin(top_gap(c.out["log_probs"] + gumbel), 1e-3)
    c.margin(anp.abs(summed - uniform[..., None]), 1e-4)
    c.put(index=index, index_by_uniform=by_uniform, mode=anp.argmax(c.out["probs"], -1))
    cot = c.cotangents(c.out, ["entropy", "kl", "log_prob", "sample"])
    one, both = {"logits": leaves["logits"]}, leaves
    c.differentiate(lambda l: run({**leaves, **l}), one, {n: cot[n] for n in cot if n != "kl"}, each=True)
    c.differentiate(run, both, {"kl": cot["kl"]}, each=True)


def discrete_actor(c):
    rows, classes = c.size("actor", "rows", "classes")
    straight = c.name.endswith("onehot")
    u = c.config["unimix"] if straight else 0.0
    leaves, gumbel = {"logits": c.normal("logits", rows, classes, scale=1.5)}, c.gumbel("gumbel", rows, classes)
    log_probs = log_softmax(leaves["logits"]) if not straight else mixed(leaves["logits"], u)[1]
    index = anp.argmax(log_probs + gumbel, -1)

    def run(l):
        probs, log_probs = mixed(l["logits"], u)
        return {
            "probs": probs,
            "sample": straight_through(index, probs),
            "entropy": -anp.sum(probs * log_probs, -1),
            "log_prob": anp.sum(one_hot(index, classes) * log_probs, -1),
        }

    c.put(**run(leaves))
    c.put(index=index, mode=anp.argmax(c.out["probs"], -1))
    c.margin(top_gap(log_probs + gumbel), 1e-3)
    c.margin(top_gap(c.out["probs"]), 1e-3)
    c.differentiate(run, leaves, c.cotangents(c.out, ["entropy", "log_prob"] + ["sample"] * straight), each=True)


def bounded_normal_case(c):
    shape = tuple(c.size("actor", "rows", "action"))
    leaves = {"mean_raw": c.normal("mean_raw", *shape), "std_raw": c.normal("std_raw", *shape, scale=1.7)}
    action, noise = c.normal("action", *shape), c.normal("noise", *shape)

    def run(l):
        mean, std = bounded_normal(l["mean_raw"], l["std_raw"], c.config)
        sample = mean + std * noise
        log_prob, entropy = normal_log_prob(action, mean, std), normal_entropy(std)
        return dict(
            mean=mean,
            mode=mean,
            std=std,
            sample=sample,
            bounded_sample=bounded(sample),
            log_prob=log_prob,
            entropy=entropy,
        )

    c.put(**run(leaves))
    c.margin(anp.abs(anp.abs(c.out["sample"]) - 1), 1e-3)
    c.differentiate(run, leaves, c.cotangents(c.out, ["bounded_sample", "entropy", "log_prob", "sample"]), each=True)


def block_gru(c):
    rows, deter, blocks, hidden, stoch, classes, action = c.size(
        "gru", "rows", "deter", "blocks", "hidden", "stoch", "classes", "action"
    )
    leaves = {
        "deter": c.uniform("deter", rows, deter, low=-1),
        "stoch": c.normal("stoch", rows, stoch * classes),
        "action": c.normal("action", rows, action, scale=1.3),
        **c.weights(shapes_core(deter, blocks, hidden, stoch * classes, action)),
    }
    c.margin(anp.abs(anp.abs(leaves["action"]) - 1), 1e-3)
    run = lambda l: core(l, l["deter"], l["stoch"], l["action"], c.config)
    c.put(**run(leaves))
    c.differentiate(run, leaves, c.cotangents(c.out, ["deter"]))


# The world model


def resets_gaussian(c):
    batch, time, embed, stoch, deter, hidden, action = c.size(
        "resets", "batch", "time", "embed", "stoch", "deter", "hidden", "action"
    )
    k, normed = c.config, c.name.endswith("norm")
    first = c.flags("is_first", batch, time, [(0, 0), (0, 2), (1, 3)])
    noise = {of: c.normal(f"noise/{of}", time, batch, stoch) for of in ("prior", "post")}
    leaves = {
        "action": c.uniform("action", batch, time, action, low=-1),
        "embed": c.normal("embed", batch, time, embed),
        "carry/deter": c.uniform("carry/deter", batch, deter, low=-1),
        "carry/stoch": c.normal("carry/stoch", batch, stoch),
        **c.weights(shapes_v1_cell(stoch, deter, hidden, action, embed, normed)),
    }

    def run(l):
        return observe_v1(l, (l["carry/deter"], l["carry/stoch"]), (l["action"], l["embed"], first), noise, k)

    results = run(leaves)
    c.put(**results)
    names = ["post_deter", "post_std", "post_stoch", "prior_mean", "prior_std"]
    cot = {n.replace("_", "/"): c.normal(f"cot/{n}", *results[n.replace("_", "/")].shape) for n in names}
    c.differentiate(run, leaves, cot)


def resets_categorical(c):
    batch, time, action, stoch, classes, deter, blocks, hidden, tokens = c.size(
        "resets", "batch", "time", "action", "c_stoch", "c_classes", "c_deter", "c_blocks", "c_hidden", "tokens"
    )
    k, flat = c.config, stoch * classes
    first = c.flags("is_first", batch, time, [(0, 0), (0, 2), (1, 3)])
    gumbel = c.gumbel("noise/gumbel", time, batch, stoch, classes)
    shapes = shapes_core(deter, blocks, hidden, flat, action) | shapes_stack(layers("prior", 2), deter, hidden)
    shapes |= shapes_dense("priorlogit", hidden, flat) | shapes_stack(layers("obs", 1), deter + tokens, hidden)
    leaves = {
        "action": c.normal("action", batch, time, action, scale=0.8),
        "tokens": c.normal("tokens", batch, time, tokens),
        "carry/deter": c.uniform("carry/deter", batch, deter, low=-1),
        "carry/stoch": c.take("carry/stoch", (batch, stoch, classes), c.one_hots),
        **c.weights(shapes | shapes_dense("obslogit", hidden, flat)),
    }

    def run(l):
        data = (l["action"], l["tokens"], first)
        return observe_v3(l, (l["carry/deter"], l["carry/stoch"]), data, gumbel, k, priors=2, posts=1)

    results, gap = run(leaves)
    c.margin(gap, 1e-3)
    c.margin(anp.abs(anp.abs(leaves["action"]) - 1), 1e-3)
    c.put(**results)
    names = ["post_deter", "post_logit", "post_stoch", "prior_logit"]
    cot = {n.replace("_", "/"): c.normal(f"cot/{n}", *results[n.replace("_", "/")].shape) for n in names}
    c.differentiate(lambda l: run(l)[0], leaves, cot)


def continue_head(c):
    rows, steps = c.size("replay", "batch", "time")
    k, terminal = c.config, c.flags("is_terminal", rows, steps, [END])
    leaves = {"logits": c.normal("logits", rows, steps, scale=2.0)}
    target = (1 - terminal) * (1 - 1 / k["horizon"])

    def run(l):
        loss = lambda target: binary_cross_entropy(l["logits"], target)
        v1 = k["v1_discount_scale"] * loss(k["v1_discount"] * (1 - terminal))
        return dict(loss=loss(target), loss_plain_target=loss(1 - terminal), loss_v1=v1)

    c.put(**run(leaves), target=target, prob=sigmoid(leaves["logits"]))
    c.means(run, leaves, {"grad": "loss", "grad_plain_target": "loss_plain_target", "grad_v1": "loss_v1"})


def barlow(c):
    rows, feat, embed = c.size("barlow", "rows", "feat", "embed")
    k = c.config
    leaves = {"feat": c.normal("feat", rows, feat), "embed": c.normal("embed", rows, embed, scale=2.0, shift=0.7)}
    leaves |= c.weights(shapes_dense("projector", feat, embed, bias=False))

    def run(l):
        projected = dense(l, "projector", l["feat"])
        standard = lambda x: (x - anp.mean(x, 0)) / (anp.std(x, 0, ddof=1) + k["barlow_eps"])
        correlation = standard(projected).T @ standard(sg(l["embed"])) / rows
        diagonal = anp.sum(correlation * np.eye(embed), 0)
        invariance, others = anp.sum((diagonal - 1) ** 2), anp.sum(correlation**2) - anp.sum(diagonal**2)
        loss = invariance + k["barlow_lambda"] * others
        found = dict(projected=projected, correlation=correlation, invariance=invariance, redundancy=others)
        return dict(found, loss=loss, scaled_loss=k["barlow_scale"] * loss)

    c.put(**run(leaves))
    c.means(run, leaves, {"grad": "scaled_loss", "grad_redundancy": "redundancy"})


def harmony(c):
    shape, split = tuple(c.size("harmony", "batch", "time")), c.name.endswith("split_kl")
    kls = ("dyn", "rep") if split else ("kl",)
    means = {"reward": 1.1, "image": 20.0, "dyn": 2.5, "rep": 2.4, "kl": 2.1, "continue": 0.4}
    names = ("reward", "image", *kls, "continue")
    leaves = {f"loss_{n}": c.uniform(f"loss_{n}", *shape, low=0.4 * means[n], high=1.7 * means[n]) for n in names}
    leaves |= {f"s_{n}": c.scalar(f"s_{n}", s) for n, s in (("reward", 0.4), ("image", -0.6), ("kl", 1.1))}
    scales = {n: c.scalar(f"{n}_scale", s) for n, s in (("dyn", 0.7), ("rep", 0.15)) if split}

    def run(l):
        term = lambda loss, s: anp.mean(l[f"loss_{loss}"]) / anp.exp(l[f"s_{s}"])
        rest = lambda s: anp.log1p(anp.exp(l[f"s_{s}"]))
        terms = {f"term_{n}": term(n, n) + rest(n) for n in ("reward", "image")}
        if split:
            total = sum(scales.values())
            kl = (term("dyn", "kl") + rest("kl")) * scales["dyn"] / total + term("rep", "kl") * scales["rep"] / total
        else:
            kl = term("kl", "kl") + rest("kl")
        terms["term_kl"] = kl
        return {**({} if split else terms), "loss": sum(terms.values()) + anp.mean(l["loss_continue"])}

    c.put(**run(leaves))
    c.means(run, leaves, {"grad": "loss"})


def zero_columns(c):
    rows, stoch, deter, sources, units, source_units = c.size(
        "meta", "rows", "stoch", "deter", "sources", "units", "source_units"
    )
    feat_size, start = stoch + deter, c.name.endswith("start")
    feat = c.normal("feat", rows, feat_size)
    mean = c.normal("source_mean", sources)
    deviation = c.uniform("source_deviation", sources, low=0.4, high=2.5)
    shapes = shapes_dense("meta/h0", sources + feat_size, units) | shapes_dense("meta/hout", units, 1)
    for i in range(sources):
        shapes |= shapes_dense(f"source{i}/h0", feat_size, source_units) | shapes_dense(
            f"source{i}/hout", source_units, 1
        )

    def first(s):
        kernel = c.rng.uniform(-1, 1, s) * np.sqrt(3 / s[0])
        kernel[: sources if start else 0] = 0
        if not start:
            kernel[0, 1] = 0
        return kernel

    w = c.weights(shapes, draws={"meta/h0/kernel": first})
    leaves = {"feat": feat, **{name: value for name, value in w.items() if name.startswith("meta/")}}
    head = lambda l, name, x: dense(l, f"{name}/hout", elu(dense(l, f"{name}/h0", x)))[:, 0]

    def run(l):
        predictions = anp.stack([head(w, f"source{i}", l["feat"]) for i in range(sources)], 1)
        standardised = (predictions - mean) / deviation
        reward = head(l, "meta", anp.concatenate([standardised, l["feat"]], 1))
        l1 = anp.sum(anp.abs(l["meta/h0/kernel"][:sources]))
        return dict(source_predictions=predictions, standardised=standardised, reward=reward, l1=l1)

    c.put(**run(leaves))
    c.differentiate(run, leaves, c.cotangents(c.out, ["reward"]))
    kernel = leaves["meta/h0/kernel"]
    c.out["grad_l1/meta/h0/kernel"] = np.where(np.arange(len(kernel))[:, None] < sources, np.sign(kernel), 0.0)


def v3_image(c):
    sizes, k, strided = c.config["image"], c.config, c.name.endswith("strided")
    n, stoch, deter = sizes["n"], sizes["stoch"] * sizes["classes"], sizes["deter"]
    image = c.image("image_u8", n, 64, 64, 3).astype(np.float64)
    leaves = {"deter": c.uniform("deter", n, deter, low=-1), "stoch": c.normal("stoch", n, stoch)}
    leaves |= c.weights(shapes_images(sizes, deter, stoch))

    def run(l):
        tokens, gap = encode_v3(l, image, k, strided)
        mean = decode_v3(l, l["deter"], l["stoch"], k, strided)
        return dict(tokens=tokens, loss=anp.sum((mean - image / 255) ** 2, (1, 2, 3)), mean=mean, gap=gap)

    results = run(leaves)
    c.margin(results["gap"], 3e-6)
    c.put(tokens=results["tokens"], loss=results["loss"])
    c.put(image_mean_rows=results["mean"][0, ::8], image_mean_sums=results["mean"].sum((1, 2)))
    c.differentiate(run, leaves, c.cotangents(c.out, ["loss", "tokens"]))


def v3_vector(c):
    rows, size, count, units, stoch, classes, deter = c.size(
        "vector", "rows", "size", "layers", "units", "stoch", "classes", "deter"
    )
    k, flat = c.config, stoch * classes
    encoder = [(f"enc/mlp{i}", f"enc/mlp{i}norm/scale") for i in range(count)]
    decoder = [(f"dec/mlp/linear{i}", f"dec/mlp/norm{i}/scale") for i in range(count)]
    shapes = shapes_stack(encoder, size, units) | shapes_stack(decoder, flat + deter, units)
    leaves = {
        "vector": c.take("vector", (rows, size), lambda s: np.sinh(1.5 * c.rng.standard_normal(s))),
        "deter": c.uniform("deter", rows, deter, low=-1),
        "stoch": c.normal("stoch", rows, flat),
        **c.weights(shapes | shapes_dense("dec/vec/vector/pred", units, size)),
    }

    def run(l):
        tokens = stack(l, encoder, symlog(l["vector"]), k)
        x = stack(l, decoder, anp.concatenate([l["stoch"], l["deter"]], -1), k)
        prediction = dense(l, "dec/vec/vector/pred", x)
        return dict(tokens=tokens, prediction=prediction, loss=anp.sum((prediction - symlog(sg(l["vector"]))) ** 2, -1))

    c.put(**run(leaves))
    c.differentiate(run, leaves, c.cotangents(c.out, ["loss", "tokens"]))


# The optimiser


def laprop_agc(c):
    sizes, k = c.config["opt"], c.config
    given = c.given["laprop_agc/in/w/d"].shape if c.given else (3,)
    shapes = {"a": (sizes["a"],), "b": tuple(sizes["b"]), "c": tuple(sizes["c"]), "d": given}
    start = c.weights(shapes, draws={"d": np.zeros})
    grads = [
        c.weights(shapes, f"grad{i + 1}/", draws={n: lambda s, x=x: x * c.rng.standard_normal(s) for n in shapes})
        for i, x in enumerate((0.01, 5.0, 0.3))
    ]
    const = c.scalar("lr_const", 0.01)
    warm = c.take("lr_warm", (3,), lambda _: np.array([0, 0.003, 0.007]), exact=True)
    count = c.take("schedule_count", (8,), lambda _: np.array([0, 1, 3, 400, 999, 1000, 1001, 7000]))
    for kind, rates in (("const", [const] * 3), ("warm", warm)):
        w, mu, nu = start, {n: anp.zeros(s) for n, s in shapes.items()}, {n: anp.zeros(s) for n, s in shapes.items()}
        for t, (grad, rate) in enumerate(zip(grads, rates), 1):
            stepped = {n: laprop(w[n], agc(grad[n], w[n], k), mu[n], nu[n], t, rate, k) for n in shapes}
            w, mu, nu = [{n: parts[i] for n, parts in stepped.items()} for i in range(3)]
            c.put_all(f"step_{kind}{t}", w)
        if kind == "const":
            c.put_all("mu", mu), c.put_all("nu", nu)
    for t, grad in enumerate(grads, 1):
        c.put_all(f"clipped{t}", {n: agc(grad[n], start[n], k) for n in shapes})
    c.put(schedule_lr=k["lr"] * anp.minimum(1.0, count / k["warmup"]))


CASES = {
    "balanced_kl/categorical": balanced_kl,
    "balanced_kl/gaussian": balanced_kl,
    "barlow": barlow,
    "block_gru": block_gru,
    "bounded_normal": bounded_normal_case,
    "categorical/latent": categorical_latent,
    "continue": continue_head,
    "discrete_actor/categorical": discrete_actor,
    "discrete_actor/onehot": discrete_actor,
    "dynamics/rollout": dynamics_rollout,
    "dynamics/trajectory": dynamics_trajectory,
    "harmony/one_kl": harmony,
    "harmony/split_kl": harmony,
    "lambda/imagined": lambda_imagined,
    "lambda/imagined_fixed_discount": lambda_imagined,
    "lambda/replay": lambda_replay,
    "laprop_agc": laprop_agc,
    "reinforce/continuous": reinforce,
    "reinforce/discrete": reinforce,
    "replay_value": replay_value,
    "resets/categorical": resets_categorical,
    "resets/gaussian": resets_gaussian,
    "resets/gaussian_norm": resets_gaussian,
    "return_scale/given": return_scale,
    "return_scale/zero": return_scale,
    "rms_norm/conv": rms_conv,
    "rms_norm/dense": rms_dense,
    "rms_norm/plain": rms_plain,
    "rms_norm/silu": rms_silu,
    "slow_value/loss": slow_loss,
    "slow_value/update": slow_update,
    "twohot/n255": two_hot_case,
    "twohot/small": two_hot_case,
    "twohot/symlog": symlog_case,
    "v3_image/pool": v3_image,
    "v3_image/strided": v3_image,
    "v3_vector": v3_vector,
    "zero_columns/later": zero_columns,
    "zero_columns/start": zero_columns,
}
