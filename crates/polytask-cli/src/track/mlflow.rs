//! MLflow's tracking server over its REST API. A server that does not answer never ends a training run: it is said once, and
//! no more is sent.

use super::{scalars, step};
use polytask::model::Scores;
use polytask::train::Round;
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The server may take this long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Rounds are sent together, this far apart.
const APART: Duration = Duration::from_secs(2);

/// What the server takes at once.
const METRICS: usize = 1000;
const PARAMETERS: usize = 100;

/// Letters of a parameter's value.
const LONGEST: usize = 500;

/// Why something could not be told to the server.
#[derive(Debug, thiserror::Error)]
pub enum MlflowError {
    /// The address is none.
    #[error("--mlflow takes an address that begins with http://, not {0:?}")]
    Address(String),
    /// It does not answer.
    #[error("the MLflow server at {base} does not answer: {reason}")]
    Silent {
        /// The address.
        base: String,
        /// What happened.
        reason: String,
    },
    /// It answers that it will not.
    #[error("the MLflow server at {base} refuses {call} with status {status}: {reason}")]
    Refused {
        /// The address.
        base: String,
        /// What it was asked for.
        call: &'static str,
        /// Of HTTP.
        status: u16,
        /// Its words.
        reason: String,
    },
}

/// A run on a server.
pub struct Mlflow {
    server: Server,
    run: String,
    pending: Vec<Value>,
    sent: Instant,
}

struct Server {
    agent: ureq::Agent,
    base: String,
}

impl Mlflow {
    /// Whether an address can be one.
    ///
    /// # Errors
    /// It does not begin with `http://`.
    pub fn check(address: &str) -> Result<(), MlflowError> {
        let host = address.strip_prefix("http://").is_some_and(|rest| !rest.trim_start_matches('/').is_empty());
        if host { Ok(()) } else { Err(MlflowError::Address(address.to_owned())) }
    }

    /// Begins a run of an experiment, which is made where it is not there, with the parameters of the config.
    ///
    /// # Errors
    /// The server does not answer, or refuses.
    pub fn begin(
        address: &str,
        experiment: &str,
        name: &str,
        parameters: &[(String, String)],
    ) -> Result<Self, MlflowError> {
        Self::check(address)?;
        let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build();
        let server = Server { agent: agent.into(), base: address.trim_end_matches('/').to_owned() };
        let experiment = server.experiment(experiment)?;
        let tags = json!([
            { "key": "mlflow.source.name", "value": "polytask" },
            { "key": "polytask.version", "value": env!("CARGO_PKG_VERSION") },
        ]);
        let asked = json!({ "experiment_id": experiment, "run_name": name, "start_time": now(), "tags": tags });
        let made = server.post("runs/create", asked)?;
        let run = made["run"]["info"]["run_id"].as_str().ok_or_else(|| server.odd("runs/create"))?.to_owned();
        for some in parameters.chunks(PARAMETERS) {
            let one = |(key, value): &(String, String)| json!({ "key": name_of(key), "value": value.chars().take(LONGEST).collect::<String>() });
            let params: Vec<Value> = some.iter().map(one).collect();
            server.post("runs/log-batch", json!({ "run_id": run, "params": params }))?;
        }
        Ok(Mlflow { server, run, pending: Vec::new(), sent: Instant::now() })
    }

    /// Tells of a round, now or soon.
    ///
    /// # Errors
    /// The server does not answer, or refuses.
    pub fn round(&mut self, round: &Round) -> Result<(), MlflowError> {
        let (now, step) = (now(), step(round));
        self.add(scalars(round), now, step);
        match self.sent.elapsed() >= APART {
            true => self.send(),
            false => Ok(()),
        }
    }

    /// Tells of the scores on the test rows and ends the run.
    ///
    /// # Errors
    /// The server does not answer, or refuses.
    pub fn finish(&mut self, scores: Option<&Scores>, status: &str) -> Result<(), MlflowError> {
        let tested = scores.into_iter().flat_map(|scores| &scores.tasks).flat_map(|(task, score)| {
            score.metrics.scores.iter().map(move |metric| (format!("test_{}/{task}", metric.name), metric.value))
        });
        let tested: Vec<(String, f64)> = tested.collect();
        self.add(tested, now(), 0);
        self.send()?;
        let ended = json!({ "run_id": self.run, "status": status, "end_time": now() });
        self.server.post("runs/update", ended).map(|_| ())
    }

    fn add(&mut self, scalars: Vec<(String, f64)>, time: u64, step: u64) {
        let finite = scalars.into_iter().filter(|(_, value)| value.is_finite());
        let one = |(key, value): (String, f64)| json!({ "key": name_of(&key), "value": value, "timestamp": time, "step": step });
        self.pending.extend(finite.map(one));
    }

    fn send(&mut self) -> Result<(), MlflowError> {
        for some in std::mem::take(&mut self.pending).chunks(METRICS) {
            self.server.post("runs/log-batch", json!({ "run_id": self.run, "metrics": some }))?;
        }
        self.sent = Instant::now();
        Ok(())
    }
}

impl Server {
    /// The identifier of an experiment.
    fn experiment(&self, name: &str) -> Result<String, MlflowError> {
        let made = self.call("experiments/create", &json!({ "name": name }))?;
        let id = |value: &Value| value.as_str().map(str::to_owned);
        if made.0 == 200 {
            return id(&made.1["experiment_id"]).ok_or_else(|| self.odd("experiments/create"));
        }
        // It is there already.
        let found = self.agent.get(format!("{}/api/2.0/mlflow/experiments/get-by-name", self.base));
        let found = self.read(found.query("experiment_name", name).call())?;
        match found.0 {
            200 => id(&found.1["experiment"]["experiment_id"]).ok_or_else(|| self.odd("experiments/get-by-name")),
            _ => Err(self.refused("experiments/create", made)),
        }
    }

    /// What the server answers where it does as asked.
    fn post(&self, call: &'static str, body: Value) -> Result<Value, MlflowError> {
        match self.call(call, &body)? {
            (200, answer) => Ok(answer),
            other => Err(self.refused(call, other)),
        }
    }

    fn call(&self, call: &str, body: &Value) -> Result<(u16, Value), MlflowError> {
        let request = self.agent.post(format!("{}/api/2.0/mlflow/{call}", self.base));
        self.read(request.header("Content-Type", "application/json").send(body.to_string()))
    }

    fn read(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<(u16, Value), MlflowError> {
        let silent = |e: ureq::Error| MlflowError::Silent { base: self.base.clone(), reason: e.to_string() };
        let mut answer = answer.map_err(silent)?;
        let text = answer.body_mut().read_to_string().map_err(silent)?;
        Ok((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    fn refused(&self, call: &'static str, (status, answer): (u16, Value)) -> MlflowError {
        let words = answer["message"].as_str().or(answer.as_str()).unwrap_or_default();
        let reason = words.chars().take(200).collect::<String>();
        MlflowError::Refused { base: self.base.clone(), call, status, reason }
    }

    /// An answer that is none of MLflow's.
    fn odd(&self, call: &'static str) -> MlflowError {
        self.refused(call, (200, Value::String("the answer is not one of MLflow".to_owned())))
    }
}

/// Milliseconds, as MLflow counts.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Names may have letters, digits, `_ - . / :` and blanks.
fn name_of(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-./: ".contains(c);
    name.chars().map(|c| if fits(c) { c } else { '_' }).take(250).collect()
}
