//! What the server counts, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// All counters.
pub struct Metrics {
    started: f64,
    /// Requests by route and status.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    /// Seconds from the head of a request for predictions to its answer.
    seconds: Histogram<{ SECONDS.len() }>,
    /// By model.
    models: BTreeMap<String, OfModel>,
    /// Open connections.
    pub connections: AtomicUsize,
    /// Connections that were turned away.
    pub refused: AtomicU64,
    /// Bytes of bodies that are held.
    pub held: AtomicUsize,
}

#[derive(Default)]
struct OfModel {
    rows: AtomicU64,
    batches: Histogram<{ REQUESTS.len() }>,
    reloads: AtomicU64,
    failed_reloads: AtomicU64,
}

const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const REQUESTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Counts by upper bound.
struct Histogram<const N: usize> {
    counts: [AtomicU64; N],
    over: AtomicU64,
    /// In millionths.
    sum: AtomicU64,
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Histogram {
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            over: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }
}

impl<const N: usize> Histogram<N> {
    fn add(&self, bounds: &[f64; N], value: f64) {
        let count = bounds.iter().position(|bound| value <= *bound).and_then(|at| self.counts.get(at));
        count.unwrap_or(&self.over).fetch_add(1, Relaxed);
        self.sum.fetch_add((value * 1e6) as u64, Relaxed);
    }

    fn write(&self, bounds: &[f64; N], name: &str, labels: &str, out: &mut String) {
        let mut total = 0;
        let comma = if labels.is_empty() { "" } else { "," };
        for (bound, count) in bounds.iter().zip(&self.counts) {
            total += count.load(Relaxed);
            line(out, format_args!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {total}"));
        }
        total += self.over.load(Relaxed);
        line(out, format_args!("{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {total}"));
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        line(out, format_args!("{name}_sum{braces} {}", self.sum.load(Relaxed) as f64 / 1e6));
        line(out, format_args!("{name}_count{braces} {total}"));
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}

impl Metrics {
    pub fn new<'a>(models: impl Iterator<Item = &'a str>) -> Self {
        Metrics {
            started: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            requests: Mutex::default(),
            seconds: Histogram::default(),
            models: models.map(|name| (name.to_owned(), OfModel::default())).collect(),
            connections: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            held: AtomicUsize::new(0),
        }
    }

    /// Counts an answered request.
    pub fn request(&self, route: &'static str, status: u16, time: Duration) {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry((route, status)).or_default() += 1;
        if route == "predict" {
            self.seconds.add(&SECONDS, time.as_secs_f64());
        }
    }

    /// Counts a batch.
    pub fn batch(&self, model: &str, requests: usize, rows: usize) {
        if let Some(own) = self.models.get(model) {
            own.rows.fetch_add(rows as u64, Relaxed);
            own.batches.add(&REQUESTS, requests as f64);
        }
    }

    /// Counts a reload.
    pub fn reload(&self, model: &str, worked: bool) {
        if let Some(own) = self.models.get(model) {
            (if worked { &own.reloads } else { &own.failed_reloads }).fetch_add(1, Relaxed);
        }
    }

    /// Everything, as Prometheus reads it. `waiting` are the requests that wait, by model.
    pub fn text(&self, waiting: &[(&str, usize)]) -> String {
        let mut out = String::new();
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            line(out, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
        };
        let name = "polytask_requests_total";
        head(&mut out, name, "counter", "Requests answered, by route and status.");
        for ((route, status), count) in self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            line(&mut out, format_args!("{name}{{route=\"{route}\",status=\"{status}\"}} {count}"));
        }
        let name = "polytask_predict_seconds";
        head(&mut out, name, "histogram", "Time from the head of a request for predictions to its answer.");
        self.seconds.write(&SECONDS, name, "", &mut out);
        let labels = |model: &str| {
            format!("model=\"{}\"", model.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
        };
        let name = "polytask_batch_requests";
        head(&mut out, name, "histogram", "Requests run together.");
        for (model, own) in &self.models {
            own.batches.write(&REQUESTS, name, &labels(model), &mut out);
        }
        let name = "polytask_rows_total";
        head(&mut out, name, "counter", "Rows predicted.");
        for (model, own) in &self.models {
            line(&mut out, format_args!("{name}{{{}}} {}", labels(model), own.rows.load(Relaxed)));
        }
        let name = "polytask_reloads_total";
        head(&mut out, name, "counter", "Reloads of a model, by result.");
        for (model, own) in &self.models {
            for (result, count) in [("loaded", &own.reloads), ("failed", &own.failed_reloads)] {
                line(&mut out, format_args!("{name}{{{},result=\"{result}\"}} {}", labels(model), count.load(Relaxed)));
            }
        }
        let name = "polytask_waiting_requests";
        head(&mut out, name, "gauge", "Requests that wait for a thread.");
        for (model, count) in waiting {
            line(&mut out, format_args!("{name}{{{}}} {count}", labels(model)));
        }
        for (name, kind, help, value) in [
            ("polytask_connections", "gauge", "Open connections.", self.connections.load(Relaxed) as f64),
            (
                "polytask_refused_connections_total",
                "counter",
                "Connections turned away.",
                self.refused.load(Relaxed) as f64,
            ),
            ("polytask_body_bytes", "gauge", "Bytes of bodies that are held.", self.held.load(Relaxed) as f64),
            ("process_start_time_seconds", "gauge", "Start of the process since the epoch.", self.started),
            ("process_resident_memory_bytes", "gauge", "Resident memory.", resident_memory() as f64),
        ] {
            head(&mut out, name, kind, help);
            line(&mut out, format_args!("{name} {value}"));
        }
        out
    }
}

/// Of this process; 0 where the system does not tell.
fn resident_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let metrics = Metrics::new(["a\"b"].into_iter());
        for millis in [1, 3, 20_000] {
            metrics.request("predict", 200, Duration::from_millis(millis));
        }
        metrics.request("healthz", 200, Duration::ZERO);
        metrics.batch("a\"b", 2, 7);
        let text = metrics.text(&[("a\"b", 1)]);
        for line in [
            "polytask_requests_total{route=\"healthz\",status=\"200\"} 1",
            "polytask_requests_total{route=\"predict\",status=\"200\"} 3",
            "polytask_predict_seconds_bucket{le=\"0.001\"} 1",
            "polytask_predict_seconds_bucket{le=\"0.005\"} 2",
            "polytask_predict_seconds_bucket{le=\"10\"} 2",
            "polytask_predict_seconds_bucket{le=\"+Inf\"} 3",
            "polytask_predict_seconds_sum 20.004",
            "polytask_batch_requests_bucket{model=\"a\\\"b\",le=\"1\"} 0",
            "polytask_batch_requests_bucket{model=\"a\\\"b\",le=\"2\"} 1",
            "polytask_rows_total{model=\"a\\\"b\"} 7",
            "polytask_waiting_requests{model=\"a\\\"b\"} 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }
}
