//! The conformance program of rdkafka: see ../README.md.

mod client;
mod cluster;
mod groups;
mod harness;
mod records;

use harness::{end, Env};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, scenario, bootstrap, prefix] = arguments.as_slice() else {
        eprintln!("usage: conformance-rdkafka SCENARIO BOOTSTRAP PREFIX");
        std::process::exit(2)
    };
    std::thread::spawn(|| {
        std::thread::sleep(std::time::Duration::from_secs(80));
        end(Err("not done within 80 s".into()))
    });
    let env = Env { bootstrap: bootstrap.clone(), prefix: prefix.clone() };
    end(match scenario.as_str() {
        "keyed" => records::keyed(&env),
        "round-robin" => records::round_robin(&env),
        "headers" => records::headers(&env),
        "large-messages" => records::large_messages(&env),
        "idempotent" => records::idempotent(&env),
        "transactions" => cluster::transactions(&env),
        "rebalance" => groups::rebalance(&env),
        "seek-pause-offsets-for-times" => groups::seek_pause_offsets_for_times(&env),
        "commit-and-resume" => groups::commit_and_resume(&env),
        "admin" => cluster::admin_requests(&env),
        "leader-killed" => cluster::leader_killed(&env),
        "topic-recreated" => cluster::topic_recreated(&env),
        "group-protocol-classic" => groups::protocol(&env, "classic"),
        "group-protocol-consumer" => groups::protocol(&env, "consumer"),
        other => match other.strip_prefix("compression-") {
            Some(codec) => records::compression(&env, codec),
            None => Err(format!("no such scenario: {other}")),
        },
    })
}
