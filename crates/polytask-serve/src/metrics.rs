//! What the server counts, in the text format of Prometheus.

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

/// All counters.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    /// Seconds from the head of a request for predictions to its answer.
    seconds: Histogram,
    /// Requests a batch.
    batches: Family<OfModel, Histogram, fn() -> Histogram>,
    rows: Family<OfModel, Counter>,
    reloads: Family<Reload, Counter>,
    waiting: Family<OfModel, Gauge>,
    memory: Gauge,
    /// Open connections.
    pub connections: Gauge,
    /// Connections that were turned away.
    pub refused: Counter,
    /// Bytes of bodies that are held.
    pub held: Gauge,
}

/// Labels of an answered request.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfModel {
    model: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reload {
    model: String,
    result: &'static str,
}

const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const REQUESTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

impl Metrics {
    /// All at 0, those by model too.
    pub fn new<'a>(models: impl Iterator<Item = &'a str>) -> Self {
        let mut registry = Registry::default();
        // The library puts a full stop behind each help.
        let all = &mut registry;
        let batches: fn() -> Histogram = || Histogram::new(REQUESTS);
        let requests = kept(all, "polytask_requests", "Requests answered, by route and status", Family::default());
        let seconds = "Time from the head of a request for predictions to its answer";
        let seconds = kept(all, "polytask_predict_seconds", seconds, Histogram::new(SECONDS));
        let batches = Family::new_with_constructor(batches);
        let batches = kept(all, "polytask_batch_requests", "Requests run together", batches);
        let rows = kept(all, "polytask_rows", "Rows predicted", Family::default());
        let reloads = kept(all, "polytask_reloads", "Reloads of a model, by result", Family::default());
        let waiting = kept(all, "polytask_waiting_requests", "Requests that wait for a thread", Family::default());
        let connections = kept(all, "polytask_connections", "Open connections", Gauge::default());
        let refused = kept(all, "polytask_refused_connections", "Connections turned away", Counter::default());
        let held = kept(all, "polytask_body_bytes", "Bytes of bodies that are held", Gauge::default());
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let since = "Start of the process since the epoch";
        all.register("process_start_time_seconds", since, ConstGauge::new(started));
        let memory = kept(all, "process_resident_memory_bytes", "Resident memory", Gauge::default());
        let metrics = Metrics {
            registry,
            requests,
            seconds,
            batches,
            rows,
            reloads,
            waiting,
            memory,
            connections,
            refused,
            held,
        };
        for model in models {
            let _ = metrics.rows.get_or_create_owned(&of(model));
            let _ = metrics.batches.get_or_create_owned(&of(model));
            let _ = [true, false].map(|worked| metrics.reloads.get_or_create_owned(&reload(model, worked)));
        }
        metrics
    }

    /// Counts an answered request.
    pub fn request(&self, route: &'static str, status: u16, time: Duration) {
        self.requests.get_or_create(&Answered { route, status }).inc();
        if route == "predict" {
            self.seconds.observe(time.as_secs_f64());
        }
    }

    /// Counts a batch.
    pub fn batch(&self, model: &str, requests: usize, rows: usize) {
        self.rows.get_or_create(&of(model)).inc_by(rows as u64);
        self.batches.get_or_create(&of(model)).observe(requests as f64);
    }

    /// Counts a reload.
    pub fn reload(&self, model: &str, worked: bool) {
        self.reloads.get_or_create(&reload(model, worked)).inc();
    }

    /// Everything, as Prometheus reads it. `waiting` are the requests that wait, by model.
    pub fn text(&self, waiting: &[(&str, usize)]) -> String {
        for (model, count) in waiting {
            self.waiting.get_or_create(&of(model)).set(*count as i64);
        }
        self.memory.set(resident_memory() as i64);
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_text::encode(&mut out, &self.registry);
        out
    }
}

/// A metric that the registry knows.
fn kept<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn of(model: &str) -> OfModel {
    OfModel { model: model.to_owned() }
}

fn reload(model: &str, worked: bool) -> Reload {
    Reload { model: model.to_owned(), result: if worked { "loaded" } else { "failed" } }
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
