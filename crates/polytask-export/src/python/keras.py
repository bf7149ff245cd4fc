# --- weight
@keras.saving.register_keras_serializable("polytask")
class Weight(layers.Layer):
    """A trained tensor by itself; its input tells that it is part of the network."""

    def __init__(self, shape, **settings):
        super().__init__(**settings)
        self.shape = tuple(shape)
        self.value = self.add_weight(shape=self.shape, name="value")

    def call(self, x):
        return ops.convert_to_tensor(self.value)

    def compute_output_spec(self, x):
        return keras.KerasTensor(self.shape, self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}
# --- one_hot
def one_hot(index, levels):
    """A missing level, the index `levels`, is zeros."""
    return ops.one_hot(index, levels + 1)[..., :-1]
# --- fed
def fed(index, levels):
    """An index out of range stands for zeros, the last row of a table."""
    return ops.where((index < 0) | (index > levels), levels, index)
# --- smooth_step
def smooth_step(x):
    x = ops.clip(x, -0.5, 0.5)
    return 0.5 + x * (1.5 - 2 * x * x)
# --- entropy
def entropy(x):
    return -x * ops.log(x + 1e-6)
# --- gelu
def gelu(x):
    return ops.gelu(x, approximate=False)
# --- all_of
def all_of(*logits):
    """The logit of all of several events, each given those before it."""
    log = ops.minimum(sum(ops.log_sigmoid(ops.cast(z, "float64")) for z in logits), -1e-16)
    return ops.cast(log - ops.log(-ops.expm1(log)), "float32")
# --- codes
def codes(bits, choices):
    """Products over the binary codes of the choices, for every group of bits."""
    count, groups = (choices - 1).bit_length(), []
    for first in range(0, bits.shape[-1], count):
        s = bits[..., first : first + count]
        chosen = [[s[..., b] if i >> b & 1 else 1 - s[..., b] for b in range(count)] for i in range(choices)]
        groups += [math.prod(factors) for factors in chosen]
    return ops.stack(groups, axis=-1)
# --- squash
def squash(x, center, scale, limit):
    """Scaled, and clipped smoothly."""
    z = (x - center) * scale
    return z / ops.sqrt(1 + (z / limit) ** 2)
# --- bins
def bins(x, edges):
    """Where each number lies among bins of its own."""
    low, width = ops.reshape(edges[:, :-1], (-1,)), ops.reshape(edges[:, 1:] - edges[:, :-1], (-1,))
    density = ops.where(width > 0, 1 / ops.maximum(width, 1e-37), 0.0)
    return ops.clip((ops.repeat(x, edges.shape[1] - 1, axis=-1) - low) * density, 0, 1)
# --- periodic
def periodic(x, frequency, phase):
    """Waves of each number's own frequencies and phases."""
    x = ops.repeat(x, frequency.shape[1], axis=-1)
    return ops.cos(2 * math.pi * (x * ops.reshape(frequency, (-1,)) + ops.reshape(phase, (-1,))))
# --- padded
def padded(x, padding, value=0.0):
    return ops.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)), constant_values=value)
# --- max_pool
def max_pool(x, size, stride, padding):
    return ops.max_pool(padded(x, padding, float("-inf")), size, stride)
# --- average_pool
def average_pool(x, size, stride, padding):
    """The mean of the pixels that lie inside the image."""
    inside = ops.average_pool(padded(ops.ones_like(x), padding), size, stride)
    return ops.average_pool(padded(x, padding), size, stride) / inside
# --- enlarged
def enlarged(x, factor, interpolation):
    size = (x.shape[1] * factor[0], x.shape[2] * factor[1])
    return ops.image.resize(x, size, interpolation=interpolation)
# --- masked
def masked(x, mask):
    return x * ops.cast(mask, "float32")[..., None]
# --- total
def total(x, mask):
    return ops.sum(masked(x, mask), axis=-2)
# --- mean
def mean(x, mask):
    count = ops.sum(ops.cast(mask, "float32"), axis=-1, keepdims=True)
    return ops.sum(masked(x, mask), axis=-2) / ops.maximum(count, 1)
# --- largest
def largest(x, mask):
    top = ops.max(ops.where(mask[..., None], x, -1e30), axis=-2)
    return ops.where(ops.any(mask, axis=-1, keepdims=True), top, 0)
# --- attend
def attend(x, scores, mask):
    """The mean of the elements of each sequence, weighed by the softmax of their scores, in heads."""
    shares = masked(ops.softmax(ops.where(mask[..., None], scores, -1e30), axis=-2), mask)
    heads = zip(ops.split(x, scores.shape[-1], axis=-1), ops.split(shares, scores.shape[-1], axis=-1))
    return ops.concatenate([ops.sum(x * share, axis=-2) for x, share in heads], axis=-1)
# --- attention
def attention(x, heads, mask, window=None):
    """Scaled dot-product attention to all elements of the own sequence, or to those at most `window` away; x is queries, keys
    and values side by side."""
    mixed, seen = [], mask[..., None, :]
    if window is not None:
        place = positions(mask)
        seen = ops.logical_and(seen, ops.abs(place[..., :, None] - place[..., None, :]) <= window)
    for q, k, v in zip(*(ops.split(part, heads, axis=-1) for part in ops.split(x, 3, axis=-1))):
        scores = ops.matmul(q, ops.swapaxes(k, -1, -2)) / math.sqrt(q.shape[-1])
        scores = ops.where(seen, scores, -1e30)
        mixed.append(ops.matmul(ops.softmax(scores, axis=-1), v))
    return ops.concatenate(mixed, axis=-1)
# --- rotary
def rotary(x, head, turned, mask, base=10000.0):
    """Halves of each head, of the first `turned` features, turned by their position."""
    frequency = base ** (-2 * np.arange(head // 2) / head)
    angle = ops.cast(positions(mask), "float64")[..., None] * frequency
    cos, sin = ops.cast(ops.cos(angle), "float32"), ops.cast(ops.sin(angle), "float32")
    parts = []
    for first in range(0, turned, head):
        a, b = ops.split(x[..., first : first + head], 2, axis=-1)
        parts += [a * cos - b * sin, a * sin + b * cos]
    rest = [x[..., turned:]] if turned < x.shape[-1] else []
    return ops.concatenate(parts + rest, axis=-1)
# --- positions
def positions(mask):
    """Of every element in its sequence."""
    return ops.cumsum(ops.ones_like(mask, dtype="int32"), axis=-1) - 1
# --- neighbours
def neighbours(x, before, after, mask):
    """The elements around each one side by side, zeros beyond the ends."""
    x, parts = masked(x, mask), []
    for by in range(-before, after + 1):
        pads = [(0, 0)] * (len(x.shape) - 2) + [(max(-by, 0), max(by, 0)), (0, 0)]
        moved = ops.pad(x, pads)
        parts.append(moved[..., by:, :] if by > 0 else moved[..., :by, :] if by < 0 else x)
    return ops.concatenate(parts, axis=-1)
# --- turned
def turned(x, mask):
    """Every sequence from its last element to its first."""
    place, count = positions(mask), ops.sum(ops.cast(mask, "int32"), axis=-1, keepdims=True)
    place = ops.where(mask, count - 1 - place, place)
    return ops.take_along_axis(x, place[..., None], axis=-2)
# --- gather
def gather(x, index, mask):
    """Elements by their position in the same row, zeros where there is none."""
    count = ops.sum(ops.cast(mask, index.dtype), axis=-1, keepdims=True)
    there = (index >= 0) & (index < count)
    return masked(ops.take_along_axis(x, ops.where(there, index, 0)[..., None], axis=1), there)
# --- pairs
def pairs(a, b, root=None, mask=None):
    """The product of every pair; with a root that of an element with itself is its product with the root."""
    scores = ops.matmul(a, ops.swapaxes(b, -1, -2))
    if root is not None:
        place = positions(mask)
        same = ops.equal(place[..., None], place[..., None, :])  # `==` of symbolic tensors is their identity
        scores = ops.where(same, ops.matmul(a, root[..., None]), scores)
    return scores[..., None]
