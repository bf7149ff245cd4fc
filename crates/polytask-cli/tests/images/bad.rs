//! Images that cannot be used: a clear message, the right exit status, and nothing written.

use super::common::Folder;
use super::pictures::*;
use image::{GrayImage, Luma};

fn photos() -> Folder {
    let folder = Folder::new();
    photo_table(&folder, 50);
    folder.write("config.toml", PHOTOS.replace("epochs = 30", "epochs = 2"));
    folder
}

#[track_caller]
fn fails(folder: &Folder, arguments: &str, code: i32, message: &str) {
    let before = folder.everything();
    let done = folder.run(&format!("train config.toml {arguments}"));
    assert_eq!(done.message(), message);
    assert_eq!(done.code, Some(code));
    assert!(folder.everything() == before, "something was written");
}

const MEND: &str = "hint: mend it or take its row out; data.on_error = \"skip\" leaves out all rows whose image cannot be \
     used, and `predict --on-error skip` all predictions for them";

#[test]
fn broken_files_are_named() {
    let folder = photos();
    folder.write("photos/7.png", "");
    fails(&folder, "", 1, &format!("data.csv line 9: the image photos/7.png: it is empty (0 bytes)\n{MEND}"));
    folder.write("photos/7.png", "hello");
    fails(
        &folder,
        "",
        1,
        &format!("data.csv line 9: the image photos/7.png: it is no PNG, JPEG, WebP, GIF, BMP or TIFF image\n{MEND}"),
    );
    let whole = png(grey(shown(1)[0], 0));
    folder.write("photos/7.png", &whole[..whole.len() / 2]);
    fails(
        &folder,
        "",
        1,
        &format!("data.csv line 9: the image photos/7.png: it is damaged: it ends too early\n{MEND}"),
    );
    std::fs::remove_file(folder.path("photos/7.png")).unwrap();
    std::fs::remove_file(folder.path("photos/8.png")).unwrap();
    let message = "data.csv line 9: the image photos/7.png: there is no such file (and 1 more image cannot be used)";
    fails(&folder, "", 1, &format!("{message}\n{MEND}"));
    // Also where the pixels are not kept.
    fails(&folder, "--set data.image_memory=0", 1, &format!("{message}\n{MEND}"));
}

#[test]
fn rows_of_broken_files_can_be_left_out() {
    let folder = photos();
    folder.write("photos/7.png", "").write("photos/8.png", "hello").write("photos/9.png", "");
    for memory in [0, 1] {
        let skip = format!("--set data.on_error=skip --set data.image_memory={memory}");
        let done = folder.works(&format!("train config.toml {skip} --out skip{memory}"));
        let note = "note: 3 rows were left out because of their images, the first: data.csv line 9: the image \
                    photos/7.png: it is empty (0 bytes)\n";
        assert!(done.err.contains(note), "{}", done.err);
        // 7 is for validation, 8 for training, 9 for testing.
        assert!(done.err.contains("29 rows to train on, 9 to choose the best model, 9 to measure it"), "{}", done.err);
    }
    assert_eq!(folder.bytes("skip0/model.safetensors"), folder.bytes("skip1/model.safetensors"));
    let done = folder.run("predict skip1 --data data.csv");
    assert_eq!((done.code, done.out.as_str()), (Some(1), ""));
}

#[test]
fn a_class_folder_names_the_file_alone() {
    let folder = Folder::new();
    class_folders(&folder, "pictures", 20);
    folder.write("pictures/bar/4.png", "");
    folder.write("config.toml", "[data]\npath = \"pictures\"\n[tasks.label]\n");
    fails(&folder, "", 1, &format!("pictures/bar/4.png: it is empty (0 bytes)\n{MEND}"));
    std::fs::create_dir_all(folder.path("empty")).unwrap();
    fails(&folder, "--set data.path=empty", 1, "empty holds no PNG, JPEG, WebP, GIF, BMP or TIFF image");
}

#[test]
fn sizes_must_be_alike_or_said() {
    let folder = photos();
    folder.write("photos/7.png", png(GrayImage::from_pixel(9, 12, Luma([7]))));
    let message = "input `photo`: the images differ in size: data.csv line 2: the image photos/0.png has 8 x 8 pixels, \
                   data.csv line 9: the image photos/7.png has 12 x 9 pixels\n\
                   hint: say what they are to be scaled to: inputs.photo = { kind = \"image\", size = [28, 28] }";
    fails(&folder, "", 2, message);
    folder.works("train config.toml --set inputs.photo={kind=\"image\",size=[9,7]} --out sized");
    // Colours among greys: all become colours.
    folder.write("photos/7.png", png(color(shown(1)[0], 3)));
    folder.works("train config.toml --out colored");
    assert_eq!(folder.json("colored/model.json")["model"]["encoder"]["inputs"][0]["channels"], 3);
}

#[test]
fn images_above_the_limit_are_refused_before_they_are_unpacked() {
    let folder = photos();
    let message = |width: u32, height: u32, limit: u64| {
        format!(
            "data.csv line 9: the image photos/7.png: it has {width} x {height} pixels, more than the {limit} allowed\n\
             hint: scale it down, or raise data.max_pixels if it is meant to be that large"
        )
    };
    folder.write("photos/7.png", png(GrayImage::from_pixel(9, 12, Luma([7]))));
    fails(&folder, "--set data.max_pixels=100", 1, &message(9, 12, 100));
    // A bomb: the header of a small file tells of 60,000 x 60,000 pixels.
    let mut bomb = png(GrayImage::from_pixel(9, 12, Luma([7])));
    bomb[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
    let mut crc = flate2::Crc::new();
    crc.update(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    folder.write("photos/7.png", bomb);
    fails(&folder, "", 1, &message(60_000, 60_000, 100_000_000));
    fails(&folder, "--set inputs.photo={kind=\"image\",size=8,channels=1}", 1, &message(60_000, 60_000, 100_000_000));
}

#[test]
fn idx_files_that_do_not_hold_together() {
    let folder = Folder::new();
    let (images, labels) = (idx(&[20, 8, 8], &pixels(20)), idx(&[20], &[0, 1].repeat(10)));
    folder.write("x-images-idx3-ubyte", &images).write("x-labels-idx1-ubyte", &labels);
    folder.write("config.toml", "[data]\npath = \"x-images-idx3-ubyte\"\n[tasks.label]\n[train]\nepochs = 1\n");
    folder.works("train config.toml --out good");

    let mut wrong = images.clone();
    wrong[2] = 0x0D;
    folder.write("x-images-idx3-ubyte", &wrong);
    let magic = "x-images-idx3-ubyte: its magic number is 0x00000d03, expected 0x00000803 or 0x00000804 (images)";
    fails(&folder, "", 1, magic);
    folder.write("x-images-idx3-ubyte", &labels);
    let magic = "x-images-idx3-ubyte: its magic number is 0x00000801, expected 0x00000803 or 0x00000804 (images)";
    fails(&folder, "", 1, magic);
    folder.write("x-images-idx3-ubyte", &images[..images.len() - 3]);
    let count = "x-images-idx3-ubyte: its header tells of 20 x 8 x 8 = 1280 bytes, but 1277 follow";
    fails(&folder, "", 1, count);
    folder.write("x-images-idx3-ubyte", gzip(&images)).write("x-labels-idx1-ubyte", idx(&[19], &[1; 19]));
    fails(&folder, "", 1, "x-labels-idx1-ubyte: it has 19 labels for the 20 images of x-images-idx3-ubyte");
    folder.write("x-labels-idx1-ubyte", &images);
    fails(&folder, "", 1, "x-labels-idx1-ubyte: its magic number is 0x00000803, expected 0x00000801 (labels)");
    folder.write("labels.csv", "label\n1\n0\n");
    let rows = "labels.csv: it has 2 rows for the 20 images of x-images-idx3-ubyte";
    fails(&folder, "--set data.labels=labels.csv", 1, rows);
    let stray = "labels.csv is no IDX file of images, to which alone labels in files of their own belong\n\
                 hint: a table, or a folder a class, has its labels inside: take data.labels out";
    fails(&folder, "--set data.path=labels.csv --set data.labels=labels.csv", 1, stray);
}

#[test]
fn keys_that_are_wrong() {
    let folder = photos();
    let line = |input: &str| {
        folder.write("config.toml", PHOTOS.replace("\"image\"", input));
        let message = folder.run("train config.toml").message().to_owned();
        message.lines().next().unwrap().to_owned()
    };
    let at = "config.toml:6:";
    assert!(line("{ kind = \"image\", sise = 8 }").starts_with(at));
    let key = |input: &str| line(input).split_once(": ").unwrap().1.to_owned();
    assert_eq!(key("{ kind = \"image\", sise = 8 }"), "unknown key `inputs.photo.sise`");
    assert_eq!(
        key("{ kind = \"image\", channels = 2 }"),
        "`inputs.photo.channels` is 2; it must be 1 (grey) or 3 (colour)"
    );
    assert_eq!(
        key("{ kind = \"image\", size = 0 }"),
        "`inputs.photo.size` has a side of 0 pixels; sides are from 1 to 16384"
    );
    assert_eq!(key("{ kind = \"image\", augment = { turn = 3 } }"), "unknown key `inputs.photo.augment.turn`");
    let crop = "`inputs.photo.augment.crop` is 1.5; it must be above 0 and at most 1";
    assert_eq!(key("{ kind = \"image\", augment = { crop = 1.5 } }"), crop);
    let stray = "`size` has no meaning for an input of kind \"number\"";
    assert_eq!(key("{ kind = \"number\", size = 8 }"), stray);
    let number = "input `photo`: there is no column `photo`";
    assert_ne!(key("\"number\""), number);
}

#[test]
fn a_row_whose_image_is_broken_is_written_without_predictions() {
    let folder = Folder::new();
    photo_table(&folder, 60);
    folder.write("config.toml", PHOTOS);
    folder.works("train config.toml --set train.epochs=1");
    folder.write("photos/cut.png", &folder.bytes("photos/1.png")[..40]);
    folder.write("new.csv", "photo,n\nphotos/0.png,1\nphotos/cut.png,2\nphotos/2.png,3\n");
    assert_eq!(folder.run("predict model --data new.csv").code, Some(1));
    let done = folder.works("predict model --data new.csv --on-error skip --id n");
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", done.out);
    assert!(lines[0].ends_with(",error") && lines[1].ends_with(','), "{}", done.out);
    assert!(
        lines[2].starts_with("2,,") && lines[2].contains("the image photos/cut.png: it is damaged"),
        "{}",
        done.out
    );
    assert!(done.err.contains("1 row without a prediction, the first row 2"), "{}", done.err);
    let done = folder.works("predict model --data new.csv --on-error skip --format jsonl");
    assert!(done.out.lines().nth(1).unwrap().starts_with("{\"error\": "), "{}", done.out);
}
