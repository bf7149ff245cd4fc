"""The data and starting parameters of W5, as src/sequences.rs has them."""

import protocol

np = protocol.np
SEQUENCES, BATCH, WORDS, WIDTH, CLASSES = 1024, 32, 10_000, 128, (50, 20)
LAYERS, HEADS, HIDDEN, LONGEST, SHORTEST = 2, 4, 512, 60, 5


def below(stream, count, most):
    return (protocol._unit(protocol._bits(stream, count)) * most).astype(np.int64)


class Data:
    def __init__(self, mixed):
        self.lengths = (
            below(2, SEQUENCES, LONGEST - SHORTEST + 1) + SHORTEST if mixed else np.full(SEQUENCES, 32, np.int64)
        )
        self.offsets = np.concatenate([[0], np.cumsum(self.lengths)])
        count = int(self.offsets[-1])
        self.tokens = below(0, count, WORDS)
        self.labels = [below(3 + t, count, classes) for t, classes in enumerate(CLASSES)]

    def padded(self, values, first, count, fill):
        """[count, longest] with `fill` behind the end of each sequence."""
        lengths = self.lengths[first : first + count]
        out = np.full((count, int(lengths.max())), fill, np.int64)
        for row, length in enumerate(lengths):
            start = self.offsets[first + row]
            out[row, :length] = values[start : start + length]
        return out


def parameters(shapes):
    """By name, from (name, shape, role) in the order of the graph."""
    values = {}
    for i, (name, shape, role) in enumerate(shapes):
        stream = 10 + i
        if role == "weight":
            values[name] = protocol.uniform(stream, shape, shape[0] ** -0.5)
        elif role == "table":
            values[name] = (0.5 * protocol.normal(stream, (int(np.prod(shape)),))).astype(np.float32).reshape(shape)
        else:
            values[name] = np.full(shape, 1.0 if role == "gain" else 0.0, np.float32)
    return values


def shapes(transformer):
    found = [("embedding.table", (WORDS, WIDTH), "table")]
    if transformer:
        found.append(("positions.table", (LONGEST, WIDTH), "table"))
        for i in range(LAYERS):
            n = f"layers.{i}"
            found += [
                (f"{n}.attention.norm.gain", (WIDTH,), "gain"),
                (f"{n}.attention.norm.bias", (WIDTH,), "bias"),
                (f"{n}.attention.inputs.weight", (WIDTH, 3 * WIDTH), "weight"),
                (f"{n}.attention.inputs.bias", (3 * WIDTH,), "bias"),
                (f"{n}.attention.output.weight", (WIDTH, WIDTH), "weight"),
                (f"{n}.attention.output.bias", (WIDTH,), "bias"),
                (f"{n}.inner.norm.gain", (WIDTH,), "gain"),
                (f"{n}.inner.norm.bias", (WIDTH,), "bias"),
                (f"{n}.inner.weight", (WIDTH, HIDDEN), "weight"),
                (f"{n}.inner.bias", (HIDDEN,), "bias"),
                (f"{n}.outer.weight", (HIDDEN, WIDTH), "weight"),
                (f"{n}.outer.bias", (WIDTH,), "bias"),
            ]
    else:
        for direction in ("forward", "backward"):
            n = f"lstm.{direction}"
            found += [
                (f"{n}.input", (WIDTH, 4 * WIDTH), "weight"),
                (f"{n}.recurrent", (WIDTH, 4 * WIDTH), "weight"),
                (f"{n}.bias", (4, WIDTH), "bias"),
            ]
    features = WIDTH if transformer else 2 * WIDTH
    for task, classes in enumerate(CLASSES):
        found += [(f"heads.{task}.weight", (features, classes), "weight"), (f"heads.{task}.bias", (classes,), "bias")]
    return found
