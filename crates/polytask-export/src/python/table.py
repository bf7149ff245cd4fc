# --- number
def number(value):
    """A number, NaN where it is missing."""
    if value is None or (isinstance(value, str) and value.strip() in MODEL["missing"]):
        return math.nan
    return float(value)

# --- boolean
def boolean(value):
    """1 for true, 0 for false, NaN where it is missing."""
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "t", "y", "1.0"):
        return 1.0
    if word in ("0", "false", "no", "f", "n", "0.0"):
        return 0.0
    return number(value)

# --- numbers
def numbers(table):
    """Standardised; a missing value is the mean, marked by a feature of its own where training had missing ones."""
    features = []
    for column in columns("number", "boolean"):
        read = number if column["kind"] == "number" else boolean
        x = np.array([read(value) for value in table[column["column"]]], dtype=np.float64)
        (shift, factor, fill), missing = column["scaling"], np.isnan(x)
        features.append(np.where(missing, fill, (x - shift) * factor))
        if column["indicator"]:
            features.append(missing)
    return np.stack(features, axis=1).astype(np.float32)

# --- categories
def categories(table):
    """The index of every level; that of others, and of missing ones, is the number of levels."""
    indices = []
    for column in columns("category"):
        levels, read = (column["number_levels"], number) if column["numbers"] else (column["levels"], str)
        index = {level: i for i, level in enumerate(levels)}
        indices.append([index.get(read(value), len(levels)) for value in table[column["column"]]])
    return np.array(indices, dtype=np.int64).T

# --- images
def image(column, value):
    """Pixels from 0 to 255, [height, width, channels]; a file or an array."""
    height, width, channels = column["height"], column["width"], column["channels"]
    if value is None:
        return np.broadcast_to(np.round(column["mean"]), (height, width, channels))
    if isinstance(value, str):
        from PIL import Image, ImageOps

        value = Image.open(value)
        if value.mode == "F" or value.format == "TIFF" and (value.mode == "P" or value.mode != "I;16" and max(value.tag_v2.get(258, [8])) > 8):
            raise ValueError(f"{value.filename}: its kind of pixels is not read; save it as PNG")
        value = ImageOps.exif_transpose(value)
        if value.mode.startswith("I"):
            value = Image.fromarray(np.round(np.asarray(value) / 257).astype(np.uint8))
        if value.mode in ("RGBA", "LA", "PA") or "transparency" in value.info:
            value = value.convert("RGBA")
            value = Image.alpha_composite(Image.new("RGBA", value.size, "white"), value)
        value = value.convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(value).reshape(*np.shape(value)[:2], -1)
    if pixels.shape != (height, width, channels):
        raise ValueError(f"an image of {pixels.shape}, where the network reads {(height, width, channels)}")
    return pixels


def images(table, name):
    """Pixels, normalised as in training."""
    column = next(column for column in columns("image") if column["column"] == name)
    scale, shift = np.array(column["pixels"], dtype=np.float32).T
    pixels = np.stack([image(column, value) for value in table[name]])
    return pixels.astype(np.float32) * scale + shift

# --- texts
# What Unicode never cuts off from the character before: marks, joiners, skin tones.
MARK = "[" + "".join(c for c in map(chr, range(0x300, 0x20000)) if unicodedata.category(c)[0] == "M")
MARK += "\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef]*"
# Characters that are words of their own where no dictionary is at hand.
SINGLE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u309f\u3400-\u9fff"
LETTER, DIGIT = rf"[^\W\d_{SINGLE}]{MARK}", rf"\d{MARK}"
WORD = re.compile(
    rf"[{SINGLE}]{MARK}"
    rf"|(?:{LETTER}(?:['’.:·](?={LETTER}))?|{DIGIT}(?:[.,;'’](?={DIGIT}))?|_{MARK})+"
    rf"|[\U0001f1e6-\U0001f1ff]{{2}}{MARK}"
    rf"|\S{MARK}(?:(?<=\u200d)[^\w\s]{MARK})*"
)


def tokens_of(column, text):
    """The tokens of a text: a list is taken as it is. Words are cut as Unicode does in alphabets with spaces."""
    if text is None:
        return []
    if isinstance(text, str):
        if column["splitter"] == "characters":
            raise ValueError(f"{column['column']}: give a list of characters")
        text = text.split() if column["splitter"] == "whitespace" else WORD.findall(text)
    return list(text)[: column["max_tokens"]]


def shape(word):
    """`X` for an upper-case letter, `x` for another, `d` for a digit; of a run of one kind the first three."""
    kinds = ["X" if c.isupper() else "x" if c.isalpha() else "d" if c.isnumeric() else c for c in word]
    return "".join(kind for i, kind in enumerate(kinds) if kinds[max(i - 3, 0) : i] != 3 * [kind])


def part_of(word, part):
    """The word in lower case, its beginning, its end or its shape."""
    if part == "shape":
        return shape(word)
    word = word.lower()
    if part == "word":
        return word
    ((kind, length),) = part.items()
    return word[:length] if kind == "prefix" else word[-length:]


def texts(table, name):
    """What is read of every token, [texts, longest, parts], and which of them there are."""
    column = next(column for column in columns("text") if column["column"] == name)
    parts = [("word", column["words"])] + [(part["feature"], part["values"]) for part in column["parts"]]
    known = [(part, {value: i for i, value in enumerate(values)}, len(values)) for part, values in parts]
    tokens = [tokens_of(column, text) for text in table[name]]
    longest = max([len(text) for text in tokens] + [1])
    indices = np.zeros((len(tokens), longest, len(parts)), dtype=np.int64)
    mask = np.arange(longest) < np.array([len(text) for text in tokens])[:, None]
    for i, text in enumerate(tokens):
        for j, word in enumerate(text):
            long = len(word.encode()) > 200
            indices[i, j] = [unknown if long else index.get(part_of(word, part), unknown) for part, index, unknown in known]
    return indices, mask

# --- columns
def columns(*kinds):
    return [column for column in MODEL["columns"] if column["kind"] in kinds]

# --- read
def read(path):
    """The columns of a CSV file, or of one of JSON lines."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = file.read().split("\n") if path.endswith("l") else None
        rows = [json.loads(line) for line in lines if line.strip()] if lines is not None else list(csv.DictReader(file))
    names = {name for row in rows for name in row}
    return {name: [row.get(name) for row in rows] for name in names}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} FILE.csv|FILE.jsonl")
    everything = predict(read(sys.argv[1]))
    for row in zip(*everything.values()):
        print(json.dumps(dict(zip(everything, row)), default=lambda value: value.tolist()))
