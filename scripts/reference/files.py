"""Files of reference cases, and a case: its inputs, read from a file or drawn, and its results."""

import json
import struct

import autograd.numpy as anp
import numpy as np
from autograd import grad

TYPES = {"F64": "<f8", "F32": "<f4", "U8": "u1", "I64": "<i8"}


def read(path):
    """All tensors of a safetensors file, and the configuration in its metadata."""
    with open(path, "rb") as file:
        data = file.read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    config = json.loads(header.pop("__metadata__")["config"])
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        numbers = np.frombuffer(data[8 + size + start : 8 + size + end], TYPES[entry["dtype"]])
        tensors[name] = numbers.reshape(entry["shape"])
    return tensors, config


def write(path, tensors, config):
    """Writes tensors, sorted by name. 64-bit tensors come first, so that all of them are aligned."""
    names = {np.dtype(there): name for name, there in TYPES.items()}
    header, blocks, at = {"__metadata__": {"config": json.dumps(config)}}, [], 0
    for name in sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name)):
        numbers = np.ascontiguousarray(tensors[name])
        entry = {"dtype": names[numbers.dtype], "shape": list(tensors[name].shape)}
        header[name] = {**entry, "data_offsets": [at, at + numbers.nbytes]}
        blocks.append(numbers.tobytes())
        at += numbers.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))


class TooClose(Exception):
    """An input lies so close to a switch that a program in single precision could take the other side."""


class Case:
    """The inputs of one case, from a file (`given`) or drawn by a generator (`rng`), and its results in `out`."""

    def __init__(self, name, config, given=None, rng=None):
        self.name, self.config, self.given, self.rng = name, config, given, rng
        self.inputs, self.out = {}, {}

    def size(self, group, *keys):
        """Sizes of a group of the configuration."""
        return [self.config[group][key] for key in keys]

    def take(self, name, shape, draw, exact=False):
        """An input of this shape. A drawn input is rounded to a 32-bit number, unless it is exact."""
        if self.given is not None:
            value = self.given[f"{self.name}/in/{name}"]
            if value.shape != tuple(shape):
                raise ValueError(f"{self.name}/in/{name} is {list(value.shape)}, not {list(shape)}")
        else:
            value = np.asarray(draw(tuple(shape)))
            if value.dtype == np.float64 and not exact and value.ndim > 0:
                value = value.astype(np.float32)
        if value.shape != tuple(shape):
            raise ValueError(f"{self.name}/in/{name} is {list(value.shape)}, not {list(shape)}")
        self.inputs[name] = value
        return value.astype(np.int64 if value.dtype.kind in "iu" else np.float64)

    def normal(self, name, *shape, scale=1.0, shift=0.0):
        return self.take(name, shape, lambda s: shift + scale * self.rng.standard_normal(s))

    def uniform(self, name, *shape, low=0.0, high=1.0):
        return self.take(name, shape, lambda s: self.rng.uniform(low, high, s))

    def gumbel(self, name, *shape):
        return self.take(name, shape, lambda s: -np.log(-np.log(self.rng.uniform(1e-9, 1 - 1e-9, s))))

    def one_hots(self, shape):
        """Draws one-hot rows."""
        return np.eye(shape[-1])[self.rng.integers(0, shape[-1], shape[:-1])]

    def scalar(self, name, value):
        return self.take(name, (), lambda _: np.float64(value), exact=True)

    def flags(self, name, rows, steps, at):
        """Flags that are set at these places, as many of them as fit into the sizes."""
        value = np.zeros((rows, steps), np.uint8)
        for row, step in at:
            if row < rows and step < steps:
                value[row, step] = 1
        return self.take(name, (rows, steps), lambda _: value).astype(np.float64)

    def image(self, name, *shape):
        """Bytes of smooth pictures with noise."""

        def draw(s):
            line = np.linspace(0, 3, s[-3])
            wave = np.sin(line[:, None, None] * self.rng.uniform(0.3, 2, (*s[:-3], 1, 1, s[-1])))
            wave = wave * np.cos(line[:, None] * self.rng.uniform(0.3, 2, (*s[:-3], 1, 1, s[-1])) + 1)
            return np.clip(90 + 80 * wave + 15 * self.rng.standard_normal(s), 0, 255).astype(np.uint8)

        return self.take(name, shape, draw)

    def weights(self, shapes, path="w/", scale=1.0, draws=None):
        """Weights of these shapes by their names. Those in `draws` are drawn in a way of their own."""
        found = {}
        for name, shape in shapes.items():
            kind = name.rsplit("/", 1)[-1]
            fan = shape[0] if len(shape) < 3 else int(np.prod(shape[:-1])) if len(shape) == 4 else shape[1]
            draw = {
                "kernel": lambda s, fan=fan: scale * self.rng.uniform(-1, 1, s) * np.sqrt(3 / fan),
                "recurrent_kernel": lambda s, fan=fan: scale * self.rng.uniform(-1, 1, s) * np.sqrt(3 / fan),
                "bias": lambda s: 0.1 * self.rng.standard_normal(s),
                "scale": lambda s: 1 + 0.3 * self.rng.standard_normal(s),
            }.get(kind, lambda s: self.rng.standard_normal(s))
            found[name] = self.take(path + name, shape, (draws or {}).get(name, draw))
        return found

    def put(self, **results):
        for name, value in results.items():
            self.out[name] = value

    def put_all(self, prefix, values):
        for name, value in values.items():
            self.out[f"{prefix}/{name}"] = value

    def margin(self, value, least):
        """Refuses a draw whose smallest distance to a switch is below `least`."""
        if self.rng is not None and float(anp.min(value)) < least:
            raise TooClose(self.name)

    def cotangents(self, results, names):
        """Draws the cotangents of these results."""
        return {name: self.normal(f"cot/{name}", *results[name].shape) for name in names}

    def differentiate(self, function, leaves, cotangents, each=False):
        """Puts the gradients of the sum of <result, cotangent>, or of each such term alone, for all leaves."""

        def total(names):
            def of(l):
                found = function(l)
                return sum(anp.sum(found[name] * cotangents[name]) for name in names)

            return of

        if each:
            for name in cotangents:
                self.put_all(f"grad_{name}", grad(total([name]))(leaves))
        else:
            self.put_all("grad", grad(total(list(cotangents)))(leaves))

    def means(self, function, leaves, names):
        """Puts the gradients of means of results: `names` maps the gradient's name to the result's."""
        for gradient, result in names.items():
            self.put_all(gradient, grad(lambda l: anp.mean(function(l)[result]))(leaves))


def head_logits(c, name, *shape, spread=0.7):
    """Logits whose outermost bins, which are huge, have tiny probabilities."""
    slope = -36 * np.abs(np.linspace(-1, 1, shape[-1]))
    return c.take(name, shape, lambda s: slope + spread * c.rng.standard_normal(s))
