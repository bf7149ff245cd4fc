# --- lookup
# --- one_hot
def one_hot(index, levels):
    """A missing level, the index `levels`, is zeros."""
    return F.one_hot(index, levels + 1)[..., :-1].float()
# --- fed
def fed(index, levels):
    """An index out of range stands for zeros, the last row of a table."""
    return torch.where((index < 0) | (index > levels), levels, index)
# --- smooth_step
def smooth_step(x):
    x = x.clamp(-0.5, 0.5)
    return 0.5 + x * (1.5 - 2 * x * x)
# --- entropy
def entropy(x):
    return -x * torch.log(x + 1e-6)
# --- all_of
def all_of(*logits):
    """The logit of all of several events, each given those before it."""
    log = sum(F.logsigmoid(z.double()) for z in logits).clamp(max=-1e-16)
    return (log - torch.log(-torch.expm1(log))).float()
# --- codes
def codes(bits, choices):
    """Products over the binary codes of the choices, for every group of bits."""
    groups = []
    for s in bits.split((choices - 1).bit_length(), dim=-1):
        chosen = [[s[..., b] if i >> b & 1 else 1 - s[..., b] for b in range(s.shape[-1])] for i in range(choices)]
        groups += [math.prod(factors) for factors in chosen]
    return torch.stack(groups, dim=-1)
# --- squash
def squash(x, center, scale, limit):
    """Scaled, and clipped smoothly."""
    z = (x - center) * scale
    return z / torch.sqrt(1 + (z / limit) ** 2)
# --- bins
def bins(x, edges):
    """Where each number lies among bins of its own."""
    low, width = edges[:, :-1].flatten(), edges.diff(dim=-1).flatten()
    density = torch.where(width > 0, 1 / width.clamp(min=1e-37), torch.zeros_like(width))
    return ((x.repeat_interleave(edges.shape[1] - 1, dim=-1) - low) * density).clamp(0, 1)
# --- periodic
def periodic(x, frequency, phase):
    """Waves of each number's own frequencies and phases."""
    x = x.repeat_interleave(frequency.shape[1], dim=-1)
    return torch.cos(2 * math.pi * (x * frequency.flatten() + phase.flatten()))
# --- max_pool
def max_pool(x, size, stride, padding, dilation):
    x = F.pad(x, (padding[1], padding[1], padding[0], padding[0]), value=-torch.inf)
    return F.max_pool2d(x, size, stride, 0, dilation)
# --- average_pool
def average_pool(x, size, stride, padding):
    """The mean of the pixels that lie inside the image."""
    pads = (padding[1], padding[1], padding[0], padding[0])
    inside = F.avg_pool2d(F.pad(torch.ones_like(x), pads), size, stride)
    return F.avg_pool2d(F.pad(x, pads), size, stride) / inside
# --- masked
def masked(x, mask):
    return x * mask[..., None]
# --- total
def total(x, mask):
    return masked(x, mask).sum(-2)
# --- mean
def mean(x, mask):
    return masked(x, mask).sum(-2) / mask.sum(-1, keepdim=True).clamp(min=1)
# --- largest
def largest(x, mask):
    top = x.masked_fill(~mask[..., None], -torch.inf).amax(-2)
    return torch.where(mask.any(-1, keepdim=True), top, 0)
# --- attend
def attend(x, scores, mask):
    """The mean of the elements of each sequence, weighed by the softmax of their scores, in heads."""
    shares = scores.masked_fill(~mask[..., None], -1e30).softmax(-2) * mask[..., None]
    heads = zip(x.chunk(scores.shape[-1], -1), shares.split(1, -1))
    return torch.cat([(x * share).sum(-2) for x, share in heads], -1)
# --- attention
def attention(x, heads, mask, window=None):
    """Scaled dot-product attention to all elements of the own sequence, or to those at most `window` away; x is queries, keys
    and values side by side."""
    mixed, seen = [], mask[..., None, :]
    if window is not None:
        place = torch.arange(mask.shape[-1], device=x.device)
        seen = seen & ((place[:, None] - place).abs() <= window)
    for q, k, v in zip(*(part.chunk(heads, -1) for part in x.chunk(3, -1))):
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        mixed.append(scores.masked_fill(~seen, -1e30).softmax(-1) @ v)
    return torch.cat(mixed, -1)
# --- rotary
def rotary(x, head, turned, mask, base=10000.0):
    """Halves of each head, of the first `turned` features, turned by their position."""
    frequency = base ** (-2 * torch.arange(head // 2, dtype=torch.float64, device=x.device) / head)
    angle = positions(mask)[..., None] * frequency
    cos, sin = angle.cos().float(), angle.sin().float()
    parts = []
    for part in x[..., :turned].split(head, -1):
        a, b = part.chunk(2, -1)
        parts += [a * cos - b * sin, a * sin + b * cos]
    return torch.cat([*parts, x[..., turned:]], -1)
# --- positions
def positions(mask):
    """Of every element in its sequence."""
    return torch.ones_like(mask, dtype=torch.int64).cumsum(-1) - 1
# --- neighbours
def neighbours(x, before, after, mask):
    """The elements around each one side by side, zeros beyond the ends."""
    length, x = x.shape[-2], F.pad(masked(x, mask), (0, 0, before, after))
    return torch.cat([x[..., i : i + length, :] for i in range(before + 1 + after)], -1)
# --- turned
def turned(x, mask):
    """Every sequence from its last element to its first."""
    place, count = positions(mask), mask.sum(-1, keepdim=True)
    place = torch.where(mask, count - 1 - place, place)
    return x.take_along_dim(place[..., None], -2)
# --- gather
def gather(x, index, mask):
    """Elements by their position in the same row, zeros where there is none."""
    place, count = index.flatten(1), mask.sum(-1, keepdim=True)
    there = (place >= 0) & (place < count)
    values = x.take_along_dim(torch.where(there, place, 0)[..., None], 1) * there[..., None]
    return values.reshape(*index.shape, -1)
# --- pairs
def pairs(a, b, root=None):
    """The product of every pair; with a root that of an element with itself is its product with the root."""
    scores = a @ b.transpose(-1, -2)
    if root is not None:
        same = torch.eye(b.shape[-2], dtype=torch.bool, device=a.device)
        scores = torch.where(same, (a @ root)[..., None], scores)
    return scores[..., None]
