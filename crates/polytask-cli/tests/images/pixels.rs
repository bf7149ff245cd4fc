//! Tasks that label pixels: scenes of a plate or a grille before a wall, each with a mask and depths.

use super::common::{Folder, Noise};
use super::pictures::{gzip, idx, png};
use image::{GrayImage, ImageBuffer, Luma, RgbImage};
use serde_json::Value;

/// Sides of a scene.
const SIDE: u32 = 16;

/// A plate is bright all over, a grille in every second line.
struct Scene {
    grille: bool,
    /// Left, top, right and bottom, the last two one past the end.
    sides: [u32; 4],
    seed: u64,
}

fn scenes(n: usize) -> Vec<Scene> {
    let mut noise = Noise(5);
    let mut below = |n: u32| (noise.next() * f64::from(n)) as u32;
    let scene = |i: usize| {
        let (left, top) = (below(8), below(8));
        let sides = [left, top, left + 6 + below(SIDE - left - 6), top + 6 + below(SIDE - top - 6)];
        Scene { grille: i % 2 == 1, sides, seed: i as u64 }
    };
    (0..n).map(scene).collect()
}

impl Scene {
    fn inside(&self, x: u32, y: u32) -> bool {
        let [left, top, right, bottom] = self.sides;
        (left..right).contains(&x) && (top..bottom).contains(&y)
    }

    fn image(&self) -> GrayImage {
        let mut noise = Noise(self.seed + 1);
        GrayImage::from_fn(SIDE, SIDE, |x, y| {
            let lit = self.inside(x, y) && (!self.grille || y % 2 == 0);
            Luma([if lit { 200 } else { 40 } + (noise.next() * 30.0) as u8])
        })
    }

    /// 0 is the wall, 1 a plate, 2 a grille.
    fn mask(&self) -> GrayImage {
        let class = if self.grille { 2 } else { 1 };
        GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([if self.inside(x, y) { class } else { 0 }]))
    }

    /// The wall is 1000 away at the top and 400 nearer at the bottom, whatever stands before it 300.
    fn depth(&self) -> ImageBuffer<Luma<u16>, Vec<u16>> {
        ImageBuffer::from_fn(SIDE, SIDE, |x, y| {
            let nearer = if self.inside(x, y) { 300 } else { 0 };
            Luma([1000 - (y * 25) as u16 - nearer])
        })
    }
}

/// `data.csv` of `image`, `mask`, `depth`, `kind` and `part`, with the files.
fn folder_of(n: usize) -> Folder {
    let folder = Folder::new();
    for name in ["scenes", "masks", "depths"] {
        std::fs::create_dir_all(folder.path(name)).unwrap();
    }
    let mut text = "image,mask,depth,kind,part\n".to_owned();
    for (i, scene) in scenes(n).into_iter().enumerate() {
        folder.write(&format!("scenes/{i}.png"), png(scene.image()));
        folder.write(&format!("masks/{i}.png"), png(scene.mask()));
        folder.write(&format!("depths/{i}.png"), png(scene.depth()));
        let (kind, part) =
            (["plate", "grille"][usize::from(scene.grille)], ["train", "train", "valid", "train", "test"][i % 5]);
        text.push_str(&format!("scenes/{i}.png,masks/{i}.png,depths/{i}.png,{kind},{part}\n"));
    }
    folder.write("data.csv", text).write("config.toml", CONFIG);
    folder
}

const CONFIG: &str = r#"
[data]
path = "data.csv"
split = { column = "part" }
[inputs]
image = "image"
[tasks.mask]
kind = "segmentation"
head = [8]
[tasks.depth]
kind = "pixel_regression"
head = [8]
[tasks.kind]
[model]
trunk = [{ conv = 8 }, { conv = 16, pool = 2 }]
[train]
epochs = 12
batch = 16
learning_rate = 0.01
"#;

/// A metric of a task on the test rows.
fn metric(folder: &Folder, model: &str, task: &str, name: &str) -> f64 {
    let metrics = folder.json(&format!("{model}/metrics.json"))["tasks"][task].clone();
    assert!(metrics[name].is_number(), "{metrics}");
    metrics[name].as_f64().unwrap()
}

/// The share of the pixels that a model of two epochs takes for a grille.
fn grilles(folder: &Folder, weights: &str) -> f64 {
    let config = CONFIG.replace("kind = \"segmentation\"", &format!("kind = \"segmentation\"\n{weights}"));
    let config = config
        .replace("epochs = 12", "epochs = 2")
        .replace("[tasks.depth]\nkind = \"pixel_regression\"\nhead = [8]\n", "");
    folder.write("weighed.toml", config);
    folder.works("train weighed.toml --out weighed");
    let lines = folder.works("predict weighed --data data.csv --format jsonl").out;
    let (mut all, mut own) = (0.0, 0.0);
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let pixels = row["mask"].as_array().unwrap().iter().flat_map(|line| line.as_array().unwrap());
        pixels.for_each(|class| {
            all += 1.0;
            own += f64::from(u8::from(*class == 2));
        });
    }
    own / all
}

#[test]
fn classes_of_pixels_weigh() {
    let folder = folder_of(60);
    let (even, heavy) = (grilles(&folder, ""), grilles(&folder, "class_weights = { 2 = 50.0 }"));
    assert!(heavy > even + 0.2, "{even} {heavy}");
    let done = folder.run("train weighed.toml --set tasks.mask.class_weights={9=2.0} --out none");
    assert_eq!(done.code, Some(2));
    assert!(done.message().contains("class_weights") && done.message().contains('9'), "{}", done.err);
}

#[test]
fn classes_and_depths_of_pixels_beside_a_label_of_the_image() {
    let folder = folder_of(250);
    let done = folder.works("train config.toml");
    let tasks = "1 input -> mask (segmentation), depth (pixel_regression), kind (binary)";
    assert!(done.err.contains(tasks), "{}", done.err);
    // The wall alone is 0.2; always the mean misses by 190.
    assert!(metric(&folder, "model", "mask", "miou") > 0.85, "{}", done.out);
    assert!(metric(&folder, "model", "mask", "pixel_accuracy") > 0.93, "{}", done.out);
    assert!(metric(&folder, "model", "depth", "rmse") < 90.0, "{}", done.out);
    assert!(metric(&folder, "model", "kind", "auc") > 0.9, "{}", done.out);
    assert_eq!(folder.json("model/metrics.json")["tasks"]["mask"]["n"], 50);

    // What is predicted as images is what was scored.
    let done = folder.works("predict model --data data.csv --masks out");
    let line = done.out.lines().nth(5).unwrap().to_owned();
    assert!(line.starts_with("out/mask/4.png,out/depth/4.png,"), "{line}");
    let truth = scenes(5).pop().unwrap();
    let mask = image::open(folder.path("out/mask/4.png")).unwrap().into_luma8();
    let same = mask.iter().zip(truth.mask().iter()).filter(|(a, b)| a == b).count();
    assert!(same > 220, "{same} of 256");
    let depth = image::open(folder.path("out/depth/4.png")).unwrap().into_luma16();
    let squares: f64 =
        depth.iter().zip(truth.depth().iter()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    assert!((squares / 256.0).sqrt() < 100.0, "{squares}");

    // The same as lists of lines.
    let done = folder.works("predict model --data data.csv --format jsonl");
    let row: Value = serde_json::from_str(done.out.lines().nth(4).unwrap()).unwrap();
    let lines: Vec<Vec<u8>> = serde_json::from_value(row["mask"].clone()).unwrap();
    assert_eq!(lines.concat(), mask.into_raw());
    assert_eq!(row["depth"].as_array().unwrap().len(), 16);

    // A folder of new images: files by their names.
    std::fs::create_dir_all(folder.path("new")).unwrap();
    folder.write("new/a.png", png(truth.image()));
    let done = folder.works("predict model --data new --masks new-masks");
    assert!(done.out.contains("a.png,new-masks/mask/a.png,"), "{}", done.out);
    let done = folder.works("evaluate model --data data.csv --format json");
    assert_eq!(serde_json::from_str::<Value>(&done.out).unwrap()["tasks"]["mask"]["n"], 250);
}

#[test]
fn architectures_share_what_pixels_need() {
    let folder = folder_of(120);
    for sharing in ["hard", "none", "mtan", "cross_stitch", "adapter"] {
        let done = folder.works(&format!("train config.toml --out {sharing} --set model.sharing={sharing}"));
        assert!(metric(&folder, sharing, "mask", "miou") > 0.4, "{sharing}\n{}", done.out);
        assert!(metric(&folder, sharing, "depth", "r2") > 0.5, "{sharing}\n{}", done.out);
    }
}

/// The labels as lists, in `data.jsonl`: of lines, or flat.
fn listed(folder: &Folder, n: usize, flat: bool) {
    let mut text = String::new();
    for (i, scene) in scenes(n).into_iter().enumerate() {
        let (mask, depth) = (scene.mask(), scene.depth());
        let lists = match flat {
            true => serde_json::json!([mask.as_raw(), depth.as_raw()]),
            false => {
                let mask: Vec<&[u8]> = mask.as_raw().chunks(SIDE as usize).collect();
                let depth: Vec<&[u16]> = depth.as_raw().chunks(SIDE as usize).collect();
                serde_json::json!([mask, depth])
            }
        };
        let part = ["train", "train", "valid", "train", "test"][i % 5];
        let kind = if scene.grille { "grille" } else { "plate" };
        let row = serde_json::json!({
            "image": format!("scenes/{i}.png"), "mask": lists[0], "depth": lists[1], "kind": kind, "part": part,
        });
        text.push_str(&format!("{row}\n"));
    }
    folder.write("data.jsonl", text);
}

#[test]
fn masks_lists_and_idx_are_the_same_labels() {
    let folder = folder_of(60);
    let short = "--set train.epochs=2";
    folder.works(&format!("train config.toml --out by-masks {short}"));
    for flat in [true, false] {
        listed(&folder, 60, flat);
        folder.works(&format!("train config.toml --out lists {short} --set data.path=data.jsonl"));
        assert_eq!(folder.bytes("by-masks/model.safetensors"), folder.bytes("lists/model.safetensors"), "flat: {flat}");
    }
    // Images and masks of IDX, found by their names.
    let all =
        |of: fn(&Scene) -> GrayImage| scenes(60).iter().flat_map(|scene| of(scene).into_raw()).collect::<Vec<_>>();
    folder.write("x-images-idx3-ubyte.gz", gzip(&idx(&[60, 16, 16], &all(Scene::image))));
    folder.write("x-mask-idx3-ubyte.gz", gzip(&idx(&[60, 16, 16], &all(Scene::mask))));
    let others = &CONFIG[CONFIG.find("[tasks.depth]").unwrap()..CONFIG.find("[model]").unwrap()];
    let config = CONFIG.replace("data.csv", "x-images-idx3-ubyte.gz").replace("column = \"part\"", "test = 0.2");
    folder.write("idx.toml", config.replace(others, ""));
    folder.works(&format!("train idx.toml --out idx {short}"));
    assert_eq!(folder.json("idx/metrics.json")["tasks"]["mask"]["n"], 12);
}

#[test]
fn pixels_and_rows_without_labels_count_nowhere() {
    let folder = folder_of(60);
    let short = "--set train.epochs=3";
    folder.works(&format!("train config.toml --out whole {short}"));
    // Nonsense at the edge that is to be ignored, and rows without a mask.
    for (i, scene) in scenes(60).into_iter().enumerate() {
        let mut mask = scene.mask();
        (0..SIDE).for_each(|x| mask.put_pixel(x, 0, Luma([255])));
        folder.write(&format!("masks/{i}.png"), png(mask));
    }
    let table = folder.read("data.csv").replace("masks/4.png", "").replace("masks/0.png", "");
    folder.write("data.csv", table);
    let done = folder.works(&format!("train config.toml --out ignored {short} --set tasks.mask.ignore=255"));
    assert_eq!(folder.json("ignored/model.json")["model"]["tasks"][0]["labels"], serde_json::json!(["0", "1", "2"]));
    // One of the twelve test rows has no mask.
    assert_eq!(folder.json("ignored/metrics.json")["tasks"]["mask"]["n"], 11, "{}", done.out);
    folder.works(&format!("train config.toml --out taken {short}"));
    assert_eq!(folder.json("taken/model.json")["model"]["tasks"][0]["labels"][3], "255");
    // 0 stands for no depth; numbers and a list of them mean the same.
    folder.works(&format!("train config.toml --out list {short} --set tasks.mask.ignore=[255]"));
    assert_eq!(folder.bytes("list/model.safetensors"), folder.bytes("ignored/model.safetensors"));
}

#[test]
fn labels_move_with_their_images() {
    let folder = folder_of(250);
    let augment = "{ kind = \"image\", augment = { flip = \"both\", shift = 3, rotation = 20 } }";
    folder.write("config.toml", CONFIG.replace("image = \"image\"", &format!("image = {augment}")));
    folder.works("train config.toml --threads 1 --set train.batch=64");
    // Labels that stay where the image moves away from teach little.
    assert!(metric(&folder, "model", "mask", "miou") > 0.7, "{}", metric(&folder, "model", "mask", "miou"));
    folder.works("train config.toml --out four --threads 4 --set train.batch=64");
    assert_eq!(folder.bytes("model/model.safetensors"), folder.bytes("four/model.safetensors"));
}

#[test]
fn what_is_wrong_is_told() {
    let folder = folder_of(30);
    let fails = |arguments: &str, code: i32, message: &str| {
        let done = folder.run(arguments);
        assert_eq!((done.message(), done.code), (message, Some(code)));
        assert!(!folder.path("bad").exists());
    };
    let mend = "hint: mend it, or leave the field empty: the row has no label of this task then";
    let mask = folder.bytes("masks/7.png");
    for (file, problem) in [
        (
            png(RgbImage::new(16, 16)),
            "it has colours; a mask is a PNG of greys or with a palette, so that every pixel keeps its number",
        ),
        (
            b"no image".to_vec(),
            "it is no PNG; a mask is a PNG of greys or with a palette, so that every pixel keeps its number",
        ),
        (Vec::new(), "it is empty (0 bytes)"),
        (mask[..mask.len() - 20].to_vec(), "it is damaged: it ends too early"),
    ] {
        folder.write("masks/7.png", file);
        let message = format!("data.csv line 9: task `mask`: the mask masks/7.png: {problem}\n{mend}");
        fails("train config.toml --out bad", 1, &message);
    }
    std::fs::remove_file(folder.path("masks/7.png")).unwrap();
    let message = format!("data.csv line 9: task `mask`: the mask masks/7.png: there is no such file\n{mend}");
    fails("train config.toml --out bad", 1, &message);
    folder.write("masks/7.png", &mask);

    let message = "the model cannot be built: layer \"heads.mask\": it labels the pixels of an image, and what it reads is none; let the trunk end in \
                   image layers, such as [{ conv = 16 }, { conv = 32, pool = 2 }]";
    fails("train config.toml --out bad --set model.trunk=[8]", 2, message);
    let message = "the model cannot be built: layer \"heads.mask\": it labels 16 x 16 pixels and reads 5 x 5, of which they are no whole multiple; \
                   choose sides that the trunk can halve as often as it does, by the input's `size`";
    fails("train config.toml --out bad --set model.trunk=[{conv=8,pool=3}]", 2, message);
    let message = "task `mask` labels pixels, but there is no image input `photo`\nhint: say which with `over`; the images \
                   are `image`";
    fails("train config.toml --out bad --set tasks.mask.over=photo", 2, message);
    let message = "`ignore` has no meaning for a task of kind \"binary\"";
    let done = folder.run("train config.toml --out bad --set tasks.kind={kind=\"binary\",ignore=1}");
    assert!(done.message().contains(message), "{}", done.err);

    folder.works("train config.toml --set train.epochs=1");
    let message = "task `mask` labels pixels, which have no place in a table\nhint: write them as images by --masks FOLDER, \
                   or as lists by --format jsonl";
    fails("predict model --data data.csv", 2, message);

    listed(&folder, 30, true);
    let text = folder.read("data.jsonl").replacen("\"mask\":[0,", "\"mask\":[", 1);
    folder.write("data.jsonl", text);
    let done = folder.run("train config.toml --out bad --set data.path=data.jsonl");
    assert!(done.message().contains("task `mask`: 255 labels for an image of 16 x 16 pixels"), "{}", done.err);
    assert_eq!(done.code, Some(1));
}
