//! Every form that images come in.

use super::common::Folder;
use super::pictures::*;
use image::ImageFormat;
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

/// Trains the config and gives a metric of a task on the test rows.
fn score(folder: &Folder, task: &str, metric: &str) -> f64 {
    folder.works("train config.toml");
    folder.json("model/metrics.json")["tasks"][task][metric].as_f64().unwrap()
}

const SECTIONS: &str = "\n[model]\ntrunk = [32]\n[train]\nepochs = 30\nbatch = 32\n";

#[test]
fn a_folder_a_class() {
    let folder = Folder::new();
    class_folders(&folder, "pictures", 200);
    folder.write("pictures/notes.txt", "not a picture").write("pictures/.hidden.png", "");
    folder.write("config.toml", format!("[data]\npath = \"pictures\"\n[tasks.label]\n{SECTIONS}"));
    let done = folder.works("train config.toml");
    let note = "note: pictures: 1 file is no PNG, JPEG, WebP, GIF, BMP or TIFF image and was left out: notes.txt\n";
    assert!(done.err.contains(note), "{}", done.err);
    assert!(done.err.contains("1 input -> label (binary)"), "{}", done.err);
    let auc = folder.json("model/metrics.json")["tasks"]["label"]["auc"].as_f64().unwrap();
    assert!(auc > 0.95, "{auc}");

    // A folder without classes: a row a file, in the order of their names.
    std::fs::create_dir_all(folder.path("new")).unwrap();
    for (i, shown) in shown(3).into_iter().enumerate() {
        folder.write(&format!("new/{i}.jpeg"), file(grey(shown, 90), ImageFormat::Jpeg));
    }
    let done = folder.works("predict model --data new");
    assert_eq!(done.out, "image,label\n0.jpeg,bar\n1.jpeg,dash\n2.jpeg,bar\n");
    let done = folder.works("evaluate model --data pictures --format json");
    assert!(done.out.contains("\"n\": 200"), "{}", done.out);
}

#[test]
fn paths_in_a_table_with_other_columns() {
    let folder = Folder::new();
    photo_table(&folder, 200);
    folder.write("config.toml", PHOTOS);
    assert!(score(&folder, "kind", "auc") > 0.95);
    assert!(score(&folder, "place", "r2") > 0.5);
    let alone = std::fs::read_to_string(folder.path("model/model.json")).unwrap();
    assert!(alone.contains("\"images.photo\""), "the image is a node of the graph");

    // The same as a model of the image and the column beside it.
    let config = PHOTOS.replace("[tasks.place]", "").replace("[tasks.kind]", "place = \"number\"\n[tasks.kind]");
    folder.write("config.toml", config);
    assert!(score(&folder, "kind", "auc") > 0.95);
    // A missing image is the mean of all.
    let mean = folder.json("model/model.json")["model"]["encoder"]["inputs"][0]["mean"][0].as_f64().unwrap();
    folder.write("photos/mean.png", png(image::GrayImage::from_pixel(SIDE, SIDE, image::Luma([mean.round() as u8]))));
    folder.write("few.csv", "photo,place\nphotos/0.png,1\n,2\nphotos/mean.png,2\n");
    let done = folder.works("predict model --data few.csv --probabilities");
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!((lines.len(), lines[2]), (4, lines[3]));
    assert_ne!(lines[2], folder.works("predict model --data data.csv --probabilities").out.lines().nth(1).unwrap());
}

#[test]
fn table_columns_are_planes_under_image_layers() {
    let folder = Folder::new();
    photo_table(&folder, 200);
    // What is asked for stands in the table alone: the images do not tell it.
    let lines: Vec<String> = folder.read("data.csv").lines().map(str::to_owned).collect();
    let row = |(i, line): (usize, &String)| match i {
        0 => format!("{line},shade,side,answer"),
        _ => format!(
            "{line},{},{},{}",
            i * 7 % 13,
            ["l", "m", "n", "o"][i % 4],
            if i * 7 % 13 > 6 { "yes" } else { "no" }
        ),
    };
    folder.write("data.csv", lines.iter().enumerate().map(row).collect::<Vec<_>>().join("\n"));
    let config = PHOTOS
        .replace("[tasks.place]", "[tasks.answer]")
        .replace("photo = \"image\"", "photo = \"image\"\nshade = \"number\"\nside = \"category\"")
        .replace("trunk = [32]", "trunk = [{ conv = 8 }, { conv = 16, pool = 2 }]")
        .replace("[train]", "[train]\nlearning_rate = 0.01");
    folder.write("config.toml", config);
    assert!(score(&folder, "answer", "auc") > 0.9);
    assert!(score(&folder, "kind", "auc") > 0.9);
    let nodes = folder.json("model/model.json")["model"]["graph"]["nodes"].clone();
    let features = nodes.as_array().unwrap().iter().find(|node| node["name"] == "features").unwrap();
    // One channel, one number, four words.
    assert_eq!(features["shape"], serde_json::json!([8, 8, 6]));
}

#[test]
fn paths_relative_to_another_folder() {
    let folder = Folder::new();
    photo_table(&folder, 100);
    std::fs::create_dir_all(folder.path("tables")).unwrap();
    folder.write("tables/data.csv", folder.read("data.csv"));
    let moved = PHOTOS.replace("\"data.csv\"", "\"tables/data.csv\"");
    folder.write("config.toml", &moved);
    assert_eq!(folder.run("train config.toml").code, Some(1));
    folder.write("config.toml", moved.replace("path =", "folder = \".\"\npath ="));
    folder.works("train config.toml");
    assert_eq!(folder.run("predict model --data tables/data.csv").code, Some(1));
    assert_eq!(folder.works("predict model --data tables/data.csv --folder .").out.lines().count(), 101);
}

#[test]
fn every_file_format_and_colours() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("photos")).unwrap();
    let formats = [
        (ImageFormat::Png, "png"),
        (ImageFormat::Jpeg, "JPG"),
        (ImageFormat::WebP, "webp"),
        (ImageFormat::Gif, "gif"),
        (ImageFormat::Bmp, "bmp"),
        (ImageFormat::Tiff, "tif"),
    ];
    let mut text = "photo,kind\n".to_owned();
    for (i, shown) in shown(240).into_iter().enumerate() {
        let (format, end) = formats[i / 2 % 6];
        folder.write(&format!("photos/{i}.{end}"), file(color(shown, i as u64), format));
        text.push_str(&format!("photos/{i}.{end},{}\n", shown.kind()));
    }
    folder.write("data.csv", text);
    // Nothing said: the column is known by the names of its files.
    folder.write("config.toml", format!("[data]\npath = \"data.csv\"\n[tasks.kind]\n{SECTIONS}"));
    assert!(score(&folder, "kind", "auc") > 0.95);
    let model = folder.json("model/model.json");
    let photo = &model["model"]["encoder"]["inputs"][0];
    assert_eq!((photo["kind"].as_str(), photo["channels"].as_u64()), (Some("image"), Some(3)));
    assert_eq!(photo["mean"].as_array().unwrap().len(), 3);

    let grey = "[inputs]\nphoto = { kind = \"image\", size = [8, 6], channels = 1, fit = \"crop\" }\n";
    folder.write("config.toml", format!("[data]\npath = \"data.csv\"\n{grey}[tasks.kind]\n{SECTIONS}"));
    // Red and blue are dark greys.
    assert!(score(&folder, "kind", "auc") > 0.6);
    let nodes = folder.json("model/model.json")["model"]["graph"]["nodes"].clone();
    assert_eq!(nodes[0]["shape"], serde_json::json!([8, 6, 1]));
}

/// The first picture of an animation is read, which is said wherever it is read.
#[test]
fn the_first_picture_of_an_animation() {
    let folder = Folder::new();
    class_folders(&folder, "pictures", 60);
    let mut animated = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut animated);
    let frame = |shown| image::Frame::new(image::DynamicImage::ImageLuma8(grey(shown, 7)).into_rgba8());
    let [bar, dash] = [shown(2)[0], shown(2)[1]];
    encoder.encode_frames([frame(bar), frame(dash)]).unwrap();
    drop(encoder);
    folder.write("pictures/bar/moving.gif", &animated);
    let data = "[data]\npath = \"pictures\"\n[inputs]\nimage = { kind = \"image\", channels = 1 }\n";
    folder.write("config.toml", format!("{data}[tasks.label]\n{SECTIONS}"));
    let note = "note: input `image`: pictures/bar/moving.gif holds several pictures, of which the first is read\n";
    for command in ["inspect config.toml", "train config.toml"] {
        let done = folder.works(command);
        assert!(
            done.err.contains(note) || done.out.contains(note.trim_start_matches("note: ").trim_end()),
            "{command}: {}{}",
            done.out,
            done.err
        );
    }
    std::fs::create_dir_all(folder.path("new")).unwrap();
    folder.write("new/0.gif", &animated).write("new/1.gif", &animated).write("new/2.png", png(grey(bar, 7)));
    let done = folder.works("predict model --data new --probabilities");
    let note = "note: input `image`: 2 files hold several pictures, of which the first is read (new/0.gif is the first of them)\n";
    assert!(done.err.contains(note), "{}", done.err);
    let of = |line: &str| line.split_once(',').unwrap().1.to_owned();
    let rows: Vec<String> = done.out.lines().skip(1).map(of).collect();
    assert!(rows.iter().all(|row| *row == rows[0]) && rows[0].starts_with("bar"), "{}", done.out);
}

/// Writes 120 pictures as IDX with their labels beside them.
fn mnist_like(folder: &Folder) {
    let kinds: Vec<u8> = shown(120).iter().map(|s| u8::from(s.bar)).collect();
    let places: Vec<u8> = shown(120).iter().map(|s| s.place as u8).collect();
    folder.write("train-images-idx3-ubyte.gz", gzip(&idx(&[120, 8, 8], &pixels(120))));
    folder.write("train-labels-idx1-ubyte.gz", gzip(&idx(&[120], &kinds)));
    folder.write("train-place-idx1-ubyte.gz", gzip(&idx(&[120], &places)));
    folder.write("t10k-images-idx3-ubyte", idx(&[60, 8, 8], &pixels(60)));
    folder.write("t10k-labels-idx1-ubyte", idx(&[60], &kinds[..60]));
    folder.write("t10k-place-idx1-ubyte", idx(&[60], &places[..60]));
}

#[test]
fn idx_finds_its_labels_by_their_names() {
    let folder = Folder::new();
    mnist_like(&folder);
    let data =
        "[data]\npath = \"train-images-idx3-ubyte.gz\"\nsplit = { valid = 0, test = \"t10k-images-idx3-ubyte\" }\n";
    folder.write("config.toml", format!("{data}[tasks.label]\n[tasks.place]\n{SECTIONS}"));
    let done = folder.works("train config.toml");
    // Labels of IDX are classes.
    assert!(done.err.contains("1 input -> label (binary), place (category)"), "{}", done.err);
    let metrics = folder.json("model/metrics.json")["tasks"].clone();
    assert_eq!(metrics["label"]["n"], 60);
    assert!(metrics["label"]["auc"].as_f64().unwrap() > 0.95 && metrics["place"]["accuracy"].as_f64().unwrap() > 0.8);
    let done = folder.works("evaluate model --data t10k-images-idx3-ubyte --format json");
    let evaluated: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(evaluated["tasks"], metrics);
    // As a number where the config says so.
    folder.works("train config.toml --out numbers --set tasks.place.kind=regression");
    assert!(folder.json("numbers/metrics.json")["tasks"]["place"]["r2"].is_number());
}

#[test]
fn idx_with_labels_that_are_named() {
    let folder = Folder::new();
    mnist_like(&folder);
    for part in ["train", "t10k"] {
        let end = if part == "train" { ".gz" } else { "" };
        std::fs::rename(folder.path(&format!("{part}-labels-idx1-ubyte{end}")), folder.path(&format!("{part}-a")))
            .unwrap();
        std::fs::rename(folder.path(&format!("{part}-place-idx1-ubyte{end}")), folder.path(&format!("{part}-b")))
            .unwrap();
    }
    let config = format!(
        "[data]\npath = \"train-images-idx3-ubyte.gz\"\nlabels = {{ kind = \"train-a\", place = \"train-b\" }}\n\
         [data.split]\nvalid = 0.1\n[data.split.test]\npath = \"t10k-images-idx3-ubyte\"\n\
         labels = {{ kind = \"t10k-a\", place = \"t10k-b\" }}\n[tasks.kind]\n[tasks.place]\n{SECTIONS}"
    );
    folder.write("config.toml", config);
    assert!(score(&folder, "kind", "auc") > 0.95);
    // The written config gives the same model.
    folder.write("again.toml", folder.read("model/config.toml"));
    folder.works("train again.toml --out again");
    assert_eq!(folder.bytes("again/model.safetensors"), folder.bytes("model/model.safetensors"));
}

#[test]
fn idx_with_a_table_of_labels() {
    let folder = Folder::new();
    folder.write("images-idx3-ubyte", idx(&[240, 8, 8], &pixels(240)));
    let rows: Vec<String> = shown(240).iter().map(|s| format!("{},{}\n", s.kind(), s.place)).collect();
    folder.write("labels.csv", format!("kind,place\n{}", rows.concat()));
    let data = "[data]\npath = \"images-idx3-ubyte\"\nlabels = \"labels.csv\"\n[inputs]\nimage = \"image\"\n";
    folder.write("config.toml", format!("{data}[tasks.kind]\n[tasks.place]\n{SECTIONS}"));
    assert!(score(&folder, "kind", "auc") > 0.9);
}

/// `data.parquet` of `image`, bytes alone or with the path beside them, and `kind`.
fn parquet(folder: &Folder, nested: bool) {
    let image = if nested {
        "OPTIONAL group image { OPTIONAL BYTE_ARRAY bytes; OPTIONAL BYTE_ARRAY path (UTF8); }"
    } else {
        "OPTIONAL BYTE_ARRAY image;"
    };
    let schema = parse_message_type(&format!("message m {{ {image} REQUIRED INT32 kind; }}")).unwrap();
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    // The last image is missing.
    let pictures = shown(121).into_iter().enumerate().take(120);
    let files: Vec<ByteArray> = pictures.map(|(i, shown)| png(grey(shown, i as u64)).into()).collect();
    let deepest = if nested { 2 } else { 1 };
    let levels: Vec<i16> = (0..121).map(|i| if i < 120 { deepest } else { 0 }).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&files, Some(&levels), None).unwrap();
    column.close().unwrap();
    if nested {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&[], Some(&[0; 121]), None).unwrap();
        column.close().unwrap();
    }
    let kinds: Vec<i32> = shown(121).iter().map(|s| i32::from(s.bar)).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&kinds, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    folder.write("data.parquet", file);
}

#[test]
fn bytes_in_parquet() {
    for nested in [false, true] {
        let folder = Folder::new();
        parquet(&folder, nested);
        folder.write("config.toml", format!("[data]\npath = \"data.parquet\"\n[tasks.kind]\n{SECTIONS}"));
        assert!(score(&folder, "kind", "auc") > 0.9);
        assert_eq!(folder.works("predict model --data data.parquet").out.lines().count(), 122);
    }
}

#[test]
fn folders_called_like_parts_are_the_split_and_those_below_the_labels() {
    let folder = Folder::new();
    for part in ["training", "val", "test"] {
        class_folders(&folder, &format!("pictures/{part}"), 60);
    }
    folder.write("config.toml", format!("[data]\npath = \"pictures\"\n[tasks.label]\n{SECTIONS}"));
    let done = folder.works("train config.toml");
    assert!(done.err.contains("60 rows to train on, 60 to choose the best model, 60 to measure it"), "{}", done.err);
    assert!(done.err.contains("1 input -> label (binary)"), "{}", done.err);
    let drafted = folder.works("init pictures").out;
    assert!(drafted.contains("split = { column = \"split\" }"), "{drafted}");
}
