//! A server at work, and a client that speaks plain HTTP/1.1.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use crate::common::Folder;
use serde_json::Value;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// `polytask serve` with some arguments, ended when dropped.
pub struct Server {
    child: Child,
    pub address: String,
    /// What it writes to standard error, line by line.
    pub said: Mutex<Receiver<String>>,
}

impl Server {
    pub fn start(folder: &Folder, arguments: &str) -> Self {
        let arguments: Vec<&str> = ["serve", "--port", "0"].into_iter().chain(arguments.split_whitespace()).collect();
        Server::of(folder.command(&arguments))
    }

    pub fn of(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = lines(child.stderr.take().unwrap());
        let line = said.recv_timeout(Duration::from_secs(60)).unwrap();
        let address = line.rsplit_once("http://").unwrap_or_else(|| panic!("{line}")).1.to_owned();
        Server { child, address, said: Mutex::new(said) }
    }

    /// One whose words nobody takes, at a port that is known.
    pub fn deaf(command: &mut Command, port: u16) -> Self {
        let child = command.spawn().unwrap();
        let address = format!("127.0.0.1:{port}");
        let end = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < end, "the server does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Server { child, address, said: Mutex::new(channel().1) }
    }

    /// Most memory that it has had at once, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        1024 * line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    }

    /// Processor time so far, in ticks of the kernel (a hundredth of a second), that of the system included: unlike time on
    /// a clock it does not grow with what else the machine does.
    pub fn processor_ticks(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let behind_name = status.rsplit_once(')').unwrap().1;
        behind_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    pub fn connect(&self) -> Connection {
        Connection::to(&self.address)
    }

    /// One request on a connection of its own.
    pub fn send(&self, request: &Request) -> Answer {
        self.connect().send(request)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(&Request::get(path))
    }

    pub fn post(&self, path: &str, kind: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send(&Request::post(path, kind, body))
    }

    /// Predictions for rows in JSON.
    pub fn predict(&self, rows: &str) -> Answer {
        self.post("/v1/predict", "application/json", rows)
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for the end and gives the exit status.
    pub fn wait(&mut self) -> Option<i32> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a metric satisfies a condition.
    pub fn counts(&self, name: &str, condition: impl Fn(f64) -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let metrics = self.get("/metrics").good();
            let value =
                metrics.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
            if value.is_some_and(&condition) {
                return;
            }
            assert!(Instant::now() < end, "{name} is never what it should be:\n{}", metrics.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for a line of standard error with these words.
    pub fn hears(&self, words: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let line = self.said.lock().unwrap().recv_timeout(end.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("the server never said {words:?}"));
            if line.contains(words) {
                return line;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for line in self.said.lock().unwrap().try_iter() {
            assert!(!line.contains("panicked") || std::thread::panicking(), "{line}");
        }
    }
}

fn lines(stderr: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

/// A request, its length added when it is sent.
#[derive(Clone)]
pub struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    pub fn get(path: &str) -> Self {
        Request::of("GET", path)
    }

    pub fn of(method: &str, path: &str) -> Self {
        Request { head: format!("{method} {path} HTTP/1.1\r\nhost: test\r\n"), body: Vec::new() }
    }

    pub fn post(path: &str, kind: &str, body: impl AsRef<[u8]>) -> Self {
        let request = Request::of("POST", path).with("content-type", kind);
        Request { body: body.as_ref().to_vec(), ..request }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head.clone().into_bytes();
        if !self.head.starts_with("GET") {
            bytes.extend(format!("content-length: {}\r\n", self.body.len()).bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

/// A connection that is kept open.
pub struct Connection {
    pub stream: BufReader<TcpStream>,
}

/// What a server answers.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Connection {
    pub fn to(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream: BufReader::new(stream) }
    }

    pub fn send(&mut self, request: &Request) -> Answer {
        // A server may answer before it has all; then the rest cannot be written.
        let _ = self.stream.get_mut().write_all(&request.bytes());
        self.answer().unwrap_or_else(|| panic!("no answer to {}", request.head))
    }

    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// The next answer; none where the connection is closed before one begins.
    pub fn answer(&mut self) -> Option<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match self.stream.read_line(&mut head) {
                Ok(0) if head.is_empty() => return None,
                // A client that waits in vain is no client that is turned away.
                Err(error) if head.is_empty() && error.kind() == ErrorKind::ConnectionReset => return None,
                Ok(0) => panic!("an answer breaks off: {head}"),
                other => other.unwrap(),
            };
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap_or("0").parse().unwrap()];
        self.stream.read_exact(&mut body).unwrap();
        Some(Answer { status: head.split(' ').nth(1).unwrap().parse().unwrap(), head, body })
    }
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// A body that was answered.
    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.text());
        self
    }

    /// The detail of a problem of this status and type.
    #[track_caller]
    pub fn problem(&self, status: u16, kind: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:polytask:problem:{kind}"));
        assert!(problem["title"].is_string());
        let hint = problem["hint"].as_str().map(|hint| format!(" | {hint}")).unwrap_or_default();
        format!("{}{hint}", problem["detail"].as_str().unwrap())
    }
}
