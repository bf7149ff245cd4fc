# --- softmax
def softmax(z):
    powers = np.exp(z - z.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)

# --- sigmoid
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

# --- calibrated
def calibrated(task, z):
    """Logits as held-out rows set them right, and by output the probability from which on it is said."""
    decision = task.get("decision", {})
    return z * decision.get("scale", 1) + decision.get("shift", 0), decision.get("thresholds", [])

# --- viterbi
def viterbi(scores, start, steps):
    """The best sequence of tags: scores [tokens, tags], plus `start` at the first and `steps[before, after]` between."""
    if len(scores) == 0:
        return []
    best, origins = scores[0] + start, []
    for token in scores[1:]:
        reach = best[:, None] + steps
        origins.append(reach.argmax(0))
        best = reach.max(0) + token
    path = [int(best.argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return path[::-1]

# --- tags
def tags(task, scores, mask):
    """Tags of every token: `I-x` follows `B-x` and `I-x` alone, and what is learnt of which follows which counts."""
    names = ["O"] + [f"{part}-{label}" for label in task["labels"] for part in "BI"]
    learnt = np.array(MODEL.get("transitions", {}).get(task["name"], np.zeros((len(names) + 1, len(names)))))
    inside = [i > 0 and i % 2 == 0 for i in range(len(names))]
    start = np.where(inside, -np.inf, learnt[0])
    follows = [[not i or b[2:] == a[2:] for a, i in zip(names, inside)] for b in names]
    steps = np.where(follows, learnt[1:], -np.inf)
    paths = [viterbi(row[:length], start, steps) for row, length in zip(scores, mask.sum(1))]
    return objects([[names[tag] for tag in path] for path in paths])

# --- objects
def objects(rows):
    """An array of lists of different lengths."""
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array

# --- regression
        if task["kind"] == "regression":
            shift, scale = (task["mean"], task["deviation"]) if task["standardize"] else (0, 1)
            predictions[name] = z[:, 0] * scale + shift
# --- segmentation
        if task["kind"] == "segmentation":
            height, width = task["canvas"]["height"], task["canvas"]["width"]
            z = z.reshape(len(z), height, width, -1)
            predictions[name] = np.array(task["labels"])[z.argmax(-1)]
            predictions[name + ".probabilities"] = softmax(z)
# --- pixel_regression
        if task["kind"] == "pixel_regression":
            shift, scale = (task["mean"], task["deviation"]) if task["standardize"] else (0, 1)
            z = z.reshape(len(z), task["canvas"]["height"], task["canvas"]["width"])
            predictions[name] = z * scale + shift
# --- count
        if task["kind"] == "count":
            predictions[name] = np.exp(z[:, 0])
# --- binary
        if task["kind"] == "binary":
            z, thresholds = calibrated(task, z)
            probabilities = sigmoid(np.concatenate([-z, z], axis=1))
            said = probabilities[:, 1] >= thresholds[0] if thresholds else probabilities.argmax(1)
            predictions[name] = np.array(task["labels"])[said.astype(int)]
            predictions[name + ".probabilities"] = probabilities
# --- category
        if task["kind"] == "category":
            z, _ = calibrated(task, z)
            predictions[name] = np.array(task["labels"])[z.argmax(1)]
            predictions[name + ".probabilities"] = softmax(z)
# --- multilabel
        if task["kind"] == "multilabel":
            z, thresholds = calibrated(task, z)
            predictions[name] = sigmoid(z) >= np.array(thresholds or [0.5])
            predictions[name + ".probabilities"] = sigmoid(z)
# --- ordinal
        if task["kind"] == "ordinal":
            above = np.minimum.accumulate(sigmoid(z), axis=1)
            ends = np.ones((len(z), 1))
            predictions[name] = np.array(task["labels"])[(above > 0.5).sum(1)]
            predictions[name + ".probabilities"] = -np.diff(np.concatenate([ends, above, 0 * ends], axis=1))
# --- survival
        if task["kind"] == "survival":
            alive = np.cumprod(1 - sigmoid(z), axis=1)
            curve = np.concatenate([np.ones((len(z), 1)), alive], axis=1)
            lengths = np.diff(np.concatenate([[0.0], task["times"]]))
            predictions[name] = ((curve[:, 1:] + curve[:, :-1]) / 2 * lengths).sum(1)
            predictions[name + ".probabilities"] = alive
# --- token_category
        if task["kind"] == "token_category":
            mask, labels = inputs[MASKS[name]], np.array(task["labels"])
            predictions[name] = objects([labels[row[there].argmax(-1)].tolist() for row, there in zip(z, mask)])
# --- tags_of
        if task["kind"] == "tags":
            predictions[name] = tags(task, z, inputs[MASKS[name]])
