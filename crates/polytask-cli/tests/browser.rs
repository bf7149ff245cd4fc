//! A report in a real browser, where there is one: nothing on the console, no request to anywhere, and something to see in
//! light and dark, on a desk and on a phone. `POLYTASK_SCREENSHOTS=FOLDER` keeps the pictures.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Folder, table};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Chromium, where it is installed.
fn browser() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&folders).flat_map(|folder| names.map(|name| folder.join(name))).find(|path| path.is_file())
}

/// Shows a page and gives what the browser said.
fn show(browser: &Path, page: &Path, folder: &Path, more: &[String]) -> String {
    let mut command = Command::new(browser);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--hide-scrollbars",
    ]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.args(["--disable-dev-shm-usage", "--enable-logging=stderr"]);
    command.arg(format!("--user-data-dir={}", folder.join("profile").display())).args(more);
    let done = command.arg(format!("file://{}", page.display())).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// The hosts that were asked for something; those that the browser itself asks at every start are its own affair.
fn asked(log: &str) -> Vec<&str> {
    let urls = log.split("\"url\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let hosts = urls
        .filter_map(|url| url.split_once("://").filter(|(scheme, _)| scheme.starts_with("http"))?.1.split('/').next());
    let own = [".google.com", ".googleapis.com", ".gvt1.com"];
    hosts.filter(|host| !own.iter().any(|end| host.ends_with(end))).collect()
}

#[test]
fn a_report_shows_in_a_browser_and_asks_nobody() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no chromium");
        return;
    };
    let folder = Folder::with(CONFIG, &table(300));
    folder.works("train config.toml --out people");
    folder.works("compare config.toml --seeds 2 --shares 30,100 --out people/compare.json");
    folder.works("report people");
    let page = folder.path("report.html");
    let kept = std::env::var_os("POLYTASK_SCREENSHOTS").map(PathBuf::from);
    for (name, size, dark) in [("light", "1200,2400", false), ("dark", "1200,2400", true), ("phone", "390,2400", false)]
    {
        let picture = kept.clone().unwrap_or_else(|| folder.path("")).join(format!("report-{name}.png"));
        let log = folder.path(&format!("{name}.json"));
        let mut more = vec![
            format!("--window-size={size}"),
            format!("--screenshot={}", picture.display()),
            format!("--log-net-log={}", log.display()),
        ];
        more.extend(dark.then(|| "--blink-settings=preferredColorScheme=0".to_owned()));
        let said = show(&browser, &page, &folder.path(""), &more);
        assert!(!said.contains("CONSOLE"), "{name}: {said}");
        let log = std::fs::read_to_string(&log).unwrap();
        assert_eq!(asked(&log), [] as [&str; 0], "{name}");
        let pixels = image::open(&picture).unwrap().into_rgb8();
        let corner = pixels.get_pixel(2, 2).0.map(u32::from).iter().sum::<u32>();
        assert_eq!(corner < 200, dark, "{name}: the paper is {:?}", pixels.get_pixel(2, 2));
        let colours: std::collections::BTreeSet<[u8; 3]> = pixels.pixels().map(|pixel| pixel.0).collect();
        assert!(colours.len() > 50, "{name}: {} colours", colours.len());
    }
}
