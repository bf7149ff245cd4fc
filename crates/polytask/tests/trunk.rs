//! Trunks in the config: what may be written, what becomes of it, and what is refused.

#![allow(clippy::unwrap_used, reason = "the configs of a test are right")]

use polytask::config::{Config, ConfigError, ImageLayer, Layer, Norm, Pooling, Resnet, Trunk, Word};

fn read(trunk: &str) -> Result<Trunk, ConfigError> {
    let text = format!("[data]\npath = \"x.csv\"\n[tasks.a]\n[model]\n{trunk}\n");
    Config::from_toml(&text, "x.toml").map(|config| config.model.trunk)
}

fn conv(channels: usize) -> ImageLayer {
    ImageLayer { conv: Some(channels), ..ImageLayer::default() }
}

#[test]
fn every_form_survives_being_written() {
    let image = ImageLayer {
        size: Some(5),
        stride: Some(2),
        padding: Some(1),
        dilation: Some(2),
        groups: Some(4),
        norm: Some(Norm::Group),
        pool: Some(2),
        pooling: Some(Pooling::Average),
        ..conv(8)
    };
    let forms = [
        ("trunk = [32, 16]", vec![32, 16].into()),
        ("trunk = []", Vec::new().into()),
        ("trunk = \"lenet\"", Trunk::Word(Word::Lenet)),
        ("trunk = { resnet = 8 }", Trunk::Resnet(Resnet { resnet: 8, width: 16, norm: Norm::Batch })),
        (
            "trunk = { resnet = 20, width = 4, norm = \"group\" }",
            Trunk::Resnet(Resnet { resnet: 20, width: 4, norm: Norm::Group }),
        ),
        (
            "trunk = [{ conv = 8, size = 5, stride = 2, padding = 1, dilation = 2, groups = 4, norm = \"group\", pool = 2, \
             pooling = \"average\" }, { block = 16 }, { pool = 2 }, 50]",
            Trunk::Layers(vec![
                Layer::Image(image),
                Layer::Image(ImageLayer { block: Some(16), ..ImageLayer::default() }),
                Layer::Image(ImageLayer { pool: Some(2), ..ImageLayer::default() }),
                Layer::Dense(50),
            ]),
        ),
    ];
    for (text, trunk) in forms {
        assert_eq!(read(text).unwrap(), trunk, "{text}");
        let written = format!("trunk = {}", toml::Value::try_from(&trunk).unwrap());
        assert_eq!(read(&written).unwrap(), trunk, "{written}");
    }
}

#[test]
fn known_trunks_spelt_out() {
    let lenet = Trunk::Word(Word::Lenet);
    let layer =
        |channels| Layer::Image(ImageLayer { size: Some(5), padding: Some(0), pool: Some(2), ..conv(channels) });
    assert_eq!(lenet.layers()[..], [layer(10), layer(20), Layer::Dense(50)]);
    assert_eq!(lenet.len(), 3);
    let resnet = Trunk::Resnet(Resnet { resnet: 14, width: 4, norm: Norm::Batch });
    let layers = resnet.layers();
    assert_eq!(resnet.len(), layers.len());
    let seen: Vec<_> = layers
        .iter()
        .map(|layer| match layer {
            Layer::Image(layer) => (layer.conv, layer.block, layer.stride.unwrap_or(1)),
            _ => (None, None, 0),
        })
        .collect();
    let block = |channels, stride| (None, Some(channels), stride);
    let blocks = [block(4, 1), block(4, 1), block(8, 2), block(8, 1), block(16, 2), block(16, 1)];
    assert_eq!(seen[0], (Some(4), None, 1));
    assert_eq!(seen[1..], blocks);
}

#[test]
fn refusals() {
    let says = |trunk: &str, expected: &str| {
        let error = read(trunk).unwrap_err().to_string();
        let first = error.lines().next().unwrap_or_default().to_owned();
        assert!(first.ends_with(expected), "{trunk}: {error}");
    };
    says(
        "trunk = { resnet = 9 }",
        "`model.trunk.resnet` is 9; it must be two more than a multiple of 6, from 8 to 1202",
    );
    says("trunk = { resnet = 8, width = 0 }", "`model.trunk.width` has a layer of width 0; widths are from 1 to 65536");
    says("trunk = { depth = 8 }", "unknown key `model.trunk.depth`");
    says(
        "trunk = \"lenat\"",
        "`model.trunk` is \"lenat\"; it must be \"lenet\", or an array of layers such as [64, 64]",
    );
    says("trunk = [64, { conv = 8 }]", "layer 1 of `model.trunk` reads images, and layer 0 below it gives none");
    says("trunk = [{ size = 3 }]", "layer 0 of `model.trunk` needs `conv`, `block` or `pool`");
    says(
        "trunk = [{ conv = 3, block = 4 }]",
        "layer 0 of `model.trunk` is both a `conv` and a `block`; it must be one of them",
    );
    says("trunk = [{ block = 3, size = 5 }]", "layer 0 of `model.trunk` has `size`, which belongs to a `conv`");
    says(
        "trunk = [{ pool = 2, stride = 2 }]",
        "layer 0 of `model.trunk` has `stride` or `norm`, which belong to a `conv` or a `block`",
    );
    says("trunk = [{ conv = 3, pooling = \"max\" }]", "layer 0 of `model.trunk` has `pooling` and no `pool`");
    says("trunk = [{ conv = 3, stride = 0 }]", "layer 0 of `model.trunk` has a `stride` of 0; it must be at least 1");
    says("trunk = [{ conv = 3, size = 65 }]", "layer 0 of `model.trunk` has a `size` of 65; it must be from 1 to 64");
    says("trunk = [{ conv = 0 }]", "`model.trunk` has a layer of width 0; widths are from 1 to 65536");
    says("trunk = [{ conv = 8, sise = 3 }]", "unknown key `model.trunk.sise`");
    says(
        "trunk = [{ conv = 8 }]\nsharing = \"sluice\"",
        "\"sluice\" mixes the layers of a trunk into each head, and image layers differ in size",
    );
}
