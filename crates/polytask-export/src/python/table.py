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
def _ranges(written):
    """The characters of a kind, as (first, behind the last)."""
    found, end, steps = [], 0, [int(step) for step in written.split()]
    for gap, count in zip(steps[::2], steps[1::2]):
        found.append((end + gap, end + gap + count))
        end += gap + count
    return found


CHARACTERS = {kind: _ranges(written) for kind, written in MODEL["characters"].items()}
WHITE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


@functools.lru_cache(maxsize=None)
def kinds_of(character):
    """What a character is for words (Unicode, UAX 29), and whether it is a letter."""
    code = ord(character)

    def has(ranges):
        at = bisect.bisect_right(ranges, (code, math.inf)) - 1
        return at >= 0 and code < ranges[at][1]

    return {kind for kind, ranges in CHARACTERS.items() if has(ranges)}


LETTERS = {"letter", "hebrew"}
BETWEEN_LETTERS = {"colon", "point", "quote"}
BETWEEN_DIGITS = {"comma", "point", "quote"}


def stays(text, kinds, i):
    """Whether a word goes on from the character before i to that at i (the rules WB3 to WB16)."""
    if text[i - 1 : i + 1] == "\r\n":
        return True
    if "newline" in kinds[i - 1] | kinds[i]:
        return False
    if text[i - 1] == "\u200d" and "picture" in kinds[i]:
        return True
    if "space" in kinds[i - 1] & kinds[i] or "extend" in kinds[i]:
        return True

    def past(at, step):
        """The next character to a side that is not a mark on another."""
        at += step
        while 0 <= at < len(text) and "extend" in kinds[at]:
            at += step
        return at

    def among(at, *wanted):
        return 0 <= at < len(text) and not kinds[at].isdisjoint(set().union(*wanted))

    a, b = past(i, -1), i
    before, behind = past(a, -1), past(b, 1)
    underscore, numeric = {"underscore"}, {"numeric"}
    if among(a, LETTERS, numeric) and among(b, LETTERS, numeric):
        return True
    if among(a, LETTERS) and among(b, BETWEEN_LETTERS) and among(behind, LETTERS):
        return True
    if among(before, LETTERS) and among(a, BETWEEN_LETTERS) and among(b, LETTERS):
        return True
    if among(a, {"hebrew"}) and (among(b, {"quote"}) or among(b, {"double_quote"}) and among(behind, {"hebrew"})):
        return True
    if among(before, {"hebrew"}) and among(a, {"double_quote"}) and among(b, {"hebrew"}):
        return True
    if among(a, numeric) and among(b, BETWEEN_DIGITS) and among(behind, numeric):
        return True
    if among(before, numeric) and among(a, BETWEEN_DIGITS) and among(b, numeric):
        return True
    if among(a, {"katakana"}) and among(b, {"katakana"}):
        return True
    if among(b, underscore) and among(a, LETTERS, numeric, {"katakana"}, underscore):
        return True
    if among(a, underscore) and among(b, LETTERS, numeric, {"katakana"}):
        return True
    flags = 0
    while among(a, {"regional"}):
        flags, a = flags + 1, past(a, -1)
    return "regional" in kinds[b] and flags % 2 == 1


def words_of(text):
    """The words, numbers and single marks of a text, by the word boundaries of Unicode."""
    kinds = [kinds_of(character) for character in text]
    ends = [i for i in range(1, len(text)) if not stays(text, kinds, i)] + [len(text)]
    parts = [text[start:end] for start, end in zip([0] + ends, ends)]
    return [part for part in parts if part and not WHITE.fullmatch(part)]


def tokens_of(column, text):
    """The tokens of a text; a list is taken as it is."""
    if text is None:
        return []
    if isinstance(text, str):
        if column["splitter"] == "characters":
            raise ValueError(f"{column['column']}: give a list of characters")
        text = [part for part in WHITE.split(text) if part] if column["splitter"] == "whitespace" else words_of(text)
    return list(text)[: column["max_tokens"]]


def shape(word):
    """`X` for an upper-case letter, `x` for another, `d` for a digit; of a run of one kind the first three."""
    letter = lambda c: "alphabetic" in kinds_of(c) or c.isalpha()
    kinds = ["X" if c.isupper() else "x" if letter(c) else "d" if c.isnumeric() else c for c in word]
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
