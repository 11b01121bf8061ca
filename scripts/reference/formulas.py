"""The formulas of single parts."""

import autograd.numpy as anp
import numpy as np
from autograd.tracer import getval, isbox


def sg(x):
    """Stops the gradient."""
    while isbox(x):
        x = getval(x)
    return x


def sigmoid(x):
    return 0.5 * (anp.tanh(0.5 * x) + 1)


def silu(x):
    return x * sigmoid(x)


def softplus(x):
    return anp.logaddexp(x, 0.0)


def elu(x):
    return anp.where(x > 0, x, anp.expm1(anp.minimum(x, 0.0)))


def log_softmax(x):
    x = x - sg(anp.max(x, -1, keepdims=True))
    return x - anp.log(anp.sum(anp.exp(x), -1, keepdims=True))


def softmax(x):
    return anp.exp(log_softmax(x))


def one_hot(index, count):
    return np.eye(count)[index]


def cumprod(x):
    """Along axis 1."""
    found = [x[:, 0]]
    for t in range(1, x.shape[1]):
        found.append(found[-1] * x[:, t])
    return anp.stack(found, 1)


# Layers


def norm(x, scale, eps):
    return x / anp.sqrt(anp.mean(x * x, -1, keepdims=True) + eps) * scale


def dense(w, name, x):
    y = x @ w[f"{name}/kernel"]
    return y + w[f"{name}/bias"] if f"{name}/bias" in w else y


def block_dense(w, name, x):
    kernel = w[f"{name}/kernel"]
    pieces = x.reshape(*x.shape[:-1], kernel.shape[0], kernel.shape[1])
    y = anp.einsum("...ki,kio->...ko", pieces, kernel)
    return y.reshape(*x.shape[:-1], -1) + w[f"{name}/bias"]


def spread(x, before, after, step=1):
    """Puts the pixels of images `step` apart, the first at `before`, with zeros between, before and after them."""
    for axis in (1, 2):
        count = x.shape[axis]
        places = np.zeros((before + step * (count - 1) + 1 + after, count))
        places[before + step * np.arange(count), np.arange(count)] = 1
        x = anp.moveaxis(anp.tensordot(places, x, (1, axis)), 0, axis)
    return x


def correlate(x, kernel, stride=1):
    """y[i, j] = sum over a, b of x[stride i + a, stride j + b] kernel[a, b], where the kernel lies within the image."""
    height, width = kernel.shape[:2]
    rows, cols = (x.shape[1] - height) // stride + 1, (x.shape[2] - width) // stride + 1
    total = 0.0
    for a in range(height):
        for b in range(width):
            part = x[:, a : a + stride * (rows - 1) + 1 : stride, b : b + stride * (cols - 1) + 1 : stride]
            total = total + anp.dot(part, kernel[a, b])
    return total


def conv(w, name, x, stride, before=0, after=0):
    """A convolution of images with zeros before and after them."""
    x = anp.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), "constant") if before + after else x
    return correlate(x, w[f"{name}/kernel"], stride) + w[f"{name}/bias"]


def transposed_conv(w, name, x):
    """V1's: y[2i+a, 2j+b, o] += sum over c of x[i, j, c] kernel[a, b, o, c]."""
    kernel = anp.transpose(w[f"{name}/kernel"][::-1, ::-1], (0, 1, 3, 2))
    reach = kernel.shape[0] - 1
    return correlate(spread(x, reach, reach, 2), kernel) + w[f"{name}/bias"]


def shapes_dense(name, inputs, outputs, scale=None, bias=True):
    """The shapes of a dense layer, and of the norm's scale if there is one, which has this name."""
    shapes = {f"{name}/kernel": (inputs, outputs)}
    if bias:
        shapes[f"{name}/bias"] = (outputs,)
    if scale:
        shapes[scale] = (outputs,)
    return shapes


def shapes_block(name, blocks, inputs, outputs):
    return {f"{name}/kernel": (blocks, inputs // blocks, outputs // blocks), f"{name}/bias": (outputs,)}


# Two-hot


def symlog(x):
    return anp.sign(x) * anp.log1p(anp.abs(x))


def symexp(x):
    return anp.sign(x) * anp.expm1(anp.abs(x))


def bins(count, limit):
    half = symexp(anp.linspace(-limit, 0, (count + 1) // 2))
    return anp.concatenate([half, -half[: count // 2][::-1]])


def two_hot(x, b):
    """The target has no gradient."""
    x = sg(x)
    n = b.shape[0]
    below = anp.clip(anp.sum(b <= x[..., None], -1) - 1, 0, n - 1)
    above = anp.clip(n - anp.sum(b > x[..., None], -1), 0, n - 1)
    same = below == above
    to_below = anp.where(same, 1.0, anp.abs(b[below] - x))
    to_above = anp.where(same, 1.0, anp.abs(b[above] - x))
    total = to_below + to_above
    return one_hot(below, n) * (to_above / total)[..., None] + one_hot(above, n) * (to_below / total)[..., None]


def bins_mean(logits, b):
    weighted = softmax(logits) * b
    n = b.shape[0]
    pairs = weighted[..., : n // 2][..., ::-1] + weighted[..., (n + 1) // 2 :]
    middle = weighted[..., n // 2] if n % 2 else 0.0
    return middle + anp.sum(pairs, -1)


def cross_entropy(logits, x, b):
    return -anp.sum(two_hot(x, b) * log_softmax(logits), -1)


# Distributions


def gaussian_kl(mean, std, other_mean, other_std):
    each = anp.log(other_std / std) + (std**2 + (mean - other_mean) ** 2) / (2 * other_std**2) - 0.5
    return anp.sum(each, -1)


def mixed(logits, unimix):
    """Probabilities and their logarithms."""
    probs = (1 - unimix) * softmax(logits) + unimix / logits.shape[-1]
    return probs, anp.log(probs)


def categorical_kl(logits, other, unimix):
    (p, log_p), (_, log_q) = mixed(logits, unimix), mixed(other, unimix)
    return anp.sum(p * (log_p - log_q), -1)


def straight_through(index, probs):
    return one_hot(index, probs.shape[-1]) + probs - sg(probs)


def top_gap(x):
    """The distance of the largest number to the second largest."""
    top = np.sort(sg(x), -1)
    return top[..., -1] - top[..., -2]


def bounded_normal(mean_raw, std_raw, k):
    low, high = k["min_std"], k["max_std"]
    return anp.tanh(mean_raw), (high - low) * sigmoid(std_raw + k["std_shift"]) + low


def normal_log_prob(x, mean, std):
    each = -0.5 * ((x - mean) / std) ** 2 - anp.log(std) - 0.5 * np.log(2 * np.pi)
    return anp.sum(each, -1)


def normal_entropy(std):
    return anp.sum(anp.log(std) + 0.5 * np.log(2 * np.pi * np.e), -1)


def bounded(a):
    return a / sg(anp.maximum(1.0, anp.abs(a)))


def binary_cross_entropy(logits, target):
    return target * softplus(-logits) + (1 - target) * softplus(logits)


# Balanced divergence


def balanced(kl, post, prior, k):
    """Divergence, and both of its sides, clipped."""
    clip = lambda x: anp.where(x > k["free_nats"], x, k["free_nats"])
    stop = lambda parts: [sg(part) for part in parts]
    return kl(post, prior), clip(kl(stop(post), prior)), clip(kl(post, stop(prior)))


# Returns


def lambda_return(reward, live, c, boot):
    """All of shape [rows, T]; returns [rows, T - 1]."""
    returns, last = [], boot[:, -1]
    for t in reversed(range(reward.shape[1] - 1)):
        last = reward[:, t + 1] + live[:, t + 1] * ((1 - c[:, t + 1]) * boot[:, t + 1] + c[:, t + 1] * last)
        returns.append(last)
    return anp.stack(returns[::-1], 1)


def imagined_returns(reward, con, value, disc, lam):
    """Returns, and weights of all states."""
    live = con * disc
    returns = lambda_return(reward, live, anp.full_like(con, lam), value)
    return returns, cumprod(live) / disc


def replay_returns(reward, terminal, last, boot, k):
    return lambda_return(reward, (1 - terminal) * (1 - 1 / k["horizon"]), (1 - last) * k["lam"], boot)


def percentile(x, q):
    x = np.sort(sg(x).reshape(-1))
    at = q / 100 * (x.shape[0] - 1)
    low = int(np.floor(at))
    high = min(low + 1, x.shape[0] - 1)
    return x[low] + (at - low) * (x[high] - x[low])


def follow_range(low, high, returns, k):
    """The range of returns after an update, and the percentiles."""
    found = percentile(returns, k["ret_low"]), percentile(returns, k["ret_high"])
    rate = k["ret_rate"]
    return (1 - rate) * low + rate * found[0], (1 - rate) * high + rate * found[1], found


def divisor(low, high, k):
    return anp.maximum(k["ret_limit"], high - low)


def actor_losses(returns, value, weight, entropy, scale, k):
    """The loss that learns through the dynamics and its variants. The weights are those of all states."""
    steps = returns.shape[1]
    weight = sg(weight[:, :steps])
    loss = lambda base: anp.mean(-weight * ((returns - base) / scale + k["actent"] * entropy))
    unweighted = anp.mean(-weight * (returns - value[:, :steps]) / scale) - anp.mean(k["actent"] * entropy)
    plain, stopped = loss(value[:, :steps]), loss(sg(value[:, :steps]))
    return {"loss": plain, "loss_stop_baseline": stopped, "loss_unweighted_entropy": unweighted}


# Cells


def core(w, deter, stoch, action, k, p=""):
    """DreamerV3's cell; `stoch` is flat. Returns all of its parts."""
    eps, act = k["rms_eps"], bounded(action)
    x = [
        silu(norm(dense(w, f"{p}dynin{i}", x), w[f"{p}dynin{i}norm/scale"], eps))
        for i, x in enumerate((deter, stoch, act))
    ]
    blocks = w[f"{p}dyngru/kernel"].shape[0]
    pieces = deter.reshape(*deter.shape[:-1], blocks, -1)
    shared = anp.concatenate(x, -1)[..., None, :]
    shared = shared * np.ones((blocks, 1))
    joined = anp.concatenate([pieces, shared], -1).reshape(*deter.shape[:-1], -1)
    hidden = silu(norm(block_dense(w, f"{p}dynhid0", joined), w[f"{p}dynhid0norm/scale"], eps))
    gates = block_dense(w, f"{p}dyngru", hidden).reshape(*deter.shape[:-1], blocks, -1)
    reset, candidate, update = [g.reshape(*deter.shape) for g in anp.split(gates, 3, -1)]
    reset, update = sigmoid(reset), sigmoid(update + k["update_bias"])
    candidate = anp.tanh(reset * candidate)
    new = update * candidate + (1 - update) * deter
    return dict(hidden=hidden, reset=reset, candidate=candidate, update=update, deter=new)


def shapes_core(deter, blocks, hidden, stoch, action, p=""):
    """`stoch` is the flat size."""
    shapes = {}
    for i, inputs in enumerate((deter, stoch, action)):
        shapes |= shapes_dense(f"{p}dynin{i}", inputs, hidden, f"{p}dynin{i}norm/scale")
    shapes |= shapes_block(f"{p}dynhid0", blocks, deter + 3 * hidden * blocks, deter)
    shapes |= {f"{p}dynhid0norm/scale": (deter,)}
    return shapes | shapes_block(f"{p}dyngru", blocks, deter, 3 * deter)


def stack(w, names, x, k):
    """Dense layers, each with norm and SiLU; `names` maps a layer's name to its scale's."""
    for name, scale in names:
        x = silu(norm(dense(w, name, x), w[scale], k["rms_eps"]))
    return x


def layers(prefix, count, p=""):
    return [(f"{p}{prefix}{i}", f"{p}{prefix}{i}norm/scale") for i in range(count)]


def shapes_stack(names, inputs, units):
    shapes = {}
    for name, scale in names:
        shapes |= shapes_dense(name, inputs, units, scale)
        inputs = units
    return shapes


def gru(w, name, x, h):
    """Keras' cell, gates in the order z, r, h."""
    bias = w[f"{name}/bias"]
    xz, xr, xh = anp.split(x @ w[f"{name}/kernel"] + bias[0], 3, -1)
    rz, rr, rh = anp.split(h @ w[f"{name}/recurrent_kernel"] + bias[1], 3, -1)
    z = sigmoid(xz + rz)
    return z * h + (1 - z) * anp.tanh(xh + sigmoid(xr + rr) * rh)


def v1_hidden(w, name, x, k):
    """A hidden layer of V1: with norm and SiLU if it has a scale, otherwise with elu."""
    y = dense(w, name, x)
    return silu(norm(y, w[f"{name}/scale"], k["rms_eps"])) if f"{name}/scale" in w else elu(y)


def v1_distribution(w, name, x, k):
    mean, raw = anp.split(dense(w, name, x), 2, -1)
    return mean, softplus(raw) + k["gaussian_min_std"]


def v1_imagine(w, deter, stoch, action, k, p=""):
    """The next deter, and the prior's mean and deviation."""
    x = v1_hidden(w, f"{p}img1", anp.concatenate([stoch, action], -1), k)
    deter = gru(w, f"{p}gru", x, deter)
    return deter, v1_distribution(w, f"{p}img3", v1_hidden(w, f"{p}img2", deter, k), k)


def v1_observe(w, deter, embed, k, p=""):
    x = v1_hidden(w, f"{p}obs1", anp.concatenate([deter, embed], -1), k)
    return v1_distribution(w, f"{p}obs2", x, k)


def shapes_v1_cell(stoch, deter, hidden, action, embed, normed, p=""):
    scale = lambda name: f"{p}{name}/scale" if normed else None
    return {
        **shapes_dense(f"{p}img1", stoch + action, hidden, scale("img1")),
        f"{p}gru/kernel": (hidden, 3 * deter),
        f"{p}gru/recurrent_kernel": (deter, 3 * deter),
        f"{p}gru/bias": (2, 3 * deter),
        **shapes_dense(f"{p}img2", deter, hidden, scale("img2")),
        **shapes_dense(f"{p}img3", hidden, 2 * stoch),
        **shapes_dense(f"{p}obs1", deter + embed, hidden, scale("obs1")),
        **shapes_dense(f"{p}obs2", hidden, 2 * stoch),
    }


def observe_v3(w, carry, data, gumbel, k, p="", priors=0, posts=0):
    """DreamerV3's filter. `carry` = (deter, stoch [B, S, K]); `data` = (action, tokens, is_first), rows first; noise
    [T, B, S, K]. Returns results [B, T, ..] and the smallest gap of an arg-max."""
    deter, stoch = carry
    action, tokens, first = data
    found, gap = [], anp.inf
    for t in range(action.shape[1]):
        keep = 1 - first[:, t]
        deter, stoch, a = deter * keep[:, None], stoch * keep[:, None, None], action[:, t] * keep[:, None]
        deter = core(w, deter, stoch.reshape(stoch.shape[0], -1), a, k, p)["deter"]
        prior = dense(w, f"{p}priorlogit", stack(w, layers("prior", priors, p), deter, k)).reshape(stoch.shape)
        x = stack(w, layers("obs", posts, p), anp.concatenate([deter, tokens[:, t]], -1), k)
        logit = dense(w, f"{p}obslogit", x).reshape(stoch.shape)
        probs, log_probs = mixed(logit, k["unimix"])
        gap = anp.minimum(gap, anp.min(top_gap(log_probs + gumbel[t])))
        index = np.argmax(sg(log_probs) + gumbel[t], -1)
        stoch = straight_through(index, probs)
        found.append(
            {"prior/logit": prior, "post/logit": logit, "post/index": index, "post/stoch": stoch, "post/deter": deter}
        )
    return {name: anp.stack([step[name] for step in found], 1) for name in found[0]}, gap


def observe_v1(w, carry, data, noise, k, p=""):
    """V1's filter. `carry` = (deter, stoch); `data` = (action, embed, is_first), rows first; noise [T, B, S]."""
    (deter, stoch), (action, embed, first), found = carry, data, []
    for t in range(action.shape[1]):
        keep = 1 - first[:, t, None]
        deter, (prior_mean, prior_std) = v1_imagine(w, deter * keep, stoch * keep, action[:, t] * keep, k, p)
        mean, std = v1_observe(w, deter, embed[:, t], k, p)
        stoch = mean + std * noise["post"][t]
        step = {
            "prior/mean": prior_mean,
            "prior/std": prior_std,
            "prior/stoch": prior_mean + prior_std * noise["prior"][t],
        }
        found.append({**step, "post/mean": mean, "post/std": std, "post/stoch": stoch, "post/deter": deter})
    return {name: anp.stack([step[name] for step in found], 1) for name in found[0]}


# DreamerV3's images


def encode_v3(w, image, k, strided=False, p="enc/"):
    """Tokens, and the smallest gap of a maximum."""
    x, gap = image / 255 - 0.5, anp.inf
    for i in range(4):
        if strided:
            x = conv(w, f"{p}cnn{i}", x, 2, 1, 2)
        else:
            x = conv(w, f"{p}cnn{i}", x, 1, 2, 2)
            n, h, width, c = x.shape
            squares = anp.transpose(x.reshape(n, h // 2, 2, width // 2, 2, c), (0, 1, 3, 5, 2, 4))
            squares = squares.reshape(n, h // 2, width // 2, c, 4)
            gap = anp.minimum(gap, anp.min(top_gap(sg(squares))))
            x = anp.max(squares, -1)
        x = silu(norm(x, w[f"{p}cnn{i}norm/scale"], k["rms_eps"]))
    return x.reshape(x.shape[0], -1), gap


def decode_v3(w, deter, stoch, k, strided=False, p="dec/"):
    """The image's mean; `stoch` is flat."""
    n, eps = deter.shape[0], k["rms_eps"]
    channels = w[f"{p}spnorm/scale"].shape[0]
    blocks = w[f"{p}sp0/kernel"].shape[0]
    x = block_dense(w, f"{p}sp0", deter).reshape(n, blocks, 4, 4, channels // blocks)
    x = anp.transpose(x, (0, 2, 3, 1, 4)).reshape(n, 4, 4, channels)
    y = silu(norm(dense(w, f"{p}sp1", stoch), w[f"{p}sp1norm/scale"], eps))
    y = dense(w, f"{p}sp2", y).reshape(n, 4, 4, channels)
    x = silu(norm(x + y, w[f"{p}spnorm/scale"], eps))
    for name in ("conv2", "conv1", "conv0", "imgout"):
        if strided:
            x = spread(x, 1, 0, 2)
        else:
            x = anp.repeat(anp.repeat(x, 2, axis=1), 2, axis=2)
        x = conv(w, f"{p}{name}", x, 1, 2, 2)
        x = sigmoid(x) if name == "imgout" else silu(norm(x, w[f"{p}{name}norm/scale"], eps))
    return x


def shapes_images(sizes, deter, stoch):
    """`stoch` is the flat size."""
    a, b, c, d = [sizes["depth"] * mult for mult in sizes["mults"]]
    kernel, shapes = sizes["kernel"], {}
    layer = lambda name, i, o: shapes.update({f"{name}/kernel": (kernel, kernel, i, o), f"{name}/bias": (o,)})
    for i, (inputs, outputs) in enumerate(((3, a), (a, b), (b, c), (c, d))):
        layer(f"enc/cnn{i}", inputs, outputs)
        shapes[f"enc/cnn{i}norm/scale"] = (outputs,)
    shapes |= shapes_block("dec/sp0", sizes["bspace"], deter, 16 * d)
    shapes |= shapes_dense("dec/sp1", stoch, 2 * sizes["units"], "dec/sp1norm/scale")
    shapes |= shapes_dense("dec/sp2", 2 * sizes["units"], 16 * d) | {"dec/spnorm/scale": (d,)}
    for name, inputs, outputs in (("conv2", d, c), ("conv1", c, b), ("conv0", b, a)):
        layer(f"dec/{name}", inputs, outputs)
        shapes[f"dec/{name}norm/scale"] = (outputs,)
    layer("dec/imgout", a, 3)
    return shapes


# Optimisers


def agc(grad, w, k):
    size = lambda x: anp.sqrt(anp.sum(x * x))
    return grad / anp.maximum(1.0, size(grad) / (k["agc_clip"] * anp.maximum(k["agc_pmin"], size(w))))


def laprop(w, grad, mu, nu, t, lr, k):
    """One step with a clipped gradient: the weight, and both moments."""
    b1, b2 = k["laprop_b1"], k["laprop_b2"]
    nu = b2 * nu + (1 - b2) * grad**2
    mu = b1 * mu + (1 - b1) * grad / (anp.sqrt(nu / (1 - b2**t)) + k["laprop_eps"])
    return w - lr * mu / (1 - b1**t), mu, nu
