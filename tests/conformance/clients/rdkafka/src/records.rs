use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Header, Headers, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use rdkafka::Message;

use crate::client::{create, poll, read_all, read_back, reader, text, Writer, LONG};
use crate::harness::{number_of, value_of, wait, Env, Ledger, Outcome};

pub fn compression(env: &Env, codec: &str) -> Outcome {
    let topic = create(env, "t", 3, &[])?;
    let ledger = Arc::new(Ledger::default());
    Writer::new(env, &ledger, &[("compression.type", codec)])?.produce(&topic, 0, 1000, 3)?;
    read_back(env, &topic, &ledger)?;
    Ok(("all read".into(), vec![("messages", ledger.count() as u64)]))
}

pub fn keyed(env: &Env) -> Outcome {
    let topic = create(env, "t", 3, &[])?;
    let ledger = Arc::new(Ledger::default());
    let writer = Writer::new(env, &ledger, &[])?;
    for number in 0..1000 {
        writer.send(&topic, number, None, Some(&format!("key-{}", number % 100)), value_of(number).as_bytes())?;
    }
    writer.flush()?;
    let homes = RefCell::new(HashMap::new());
    read_all(&reader(env, &topic, "reader", &[])?, &ledger, |message| {
        let key = String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
        if key != format!("key-{}", number_of(message.payload())? % 100) {
            return Err(format!("a record came back with key {key}"));
        }
        match homes.borrow_mut().insert(key.clone(), message.partition()) {
            Some(before) if before != message.partition() => Err(format!("{key} is in two partitions")),
            _ => Ok(()),
        }
    })?;
    ledger.check()?;
    let (keys, partitions) = (homes.borrow().len(), ledger.counts().len());
    if keys != 100 || partitions < 2 {
        return Err(format!("{keys} keys in {partitions} partitions"));
    }
    Ok((format!("100 keys in {partitions} partitions"), vec![("messages", ledger.count() as u64)]))
}

pub fn round_robin(env: &Env) -> Outcome {
    let topic = create(env, "t", 3, &[])?;
    let ledger = Arc::new(Ledger::default());
    let writer = Writer::new(env, &ledger, &[("sticky.partitioning.linger.ms", "0")])?;
    for number in 0..300 {
        writer.send(&topic, number, None, None, value_of(number).as_bytes())?;
    }
    writer.flush()?;
    read_back(env, &topic, &ledger)?;
    let counts = ledger.counts();
    if counts.len() != 3 {
        return Err(format!("records by partition: {counts:?}"));
    }
    Ok((format!("at random, without keys: {counts:?} records"), vec![("messages", ledger.count() as u64)]))
}

type Plain = (Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>, Option<i64>);

fn plain(message: &BorrowedMessage<'_>) -> Plain {
    let headers = message.headers().map_or(Vec::new(), |headers| {
        headers.iter().map(|one| (one.key.to_owned(), one.value.map(<[u8]>::to_vec))).collect()
    });
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    (owned(message.key()), owned(message.payload()), headers, message.timestamp().to_millis())
}

pub fn headers(env: &Env) -> Outcome {
    let topic = create(env, "t", 1, &[])?;
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    let several = vec![
        ("a".to_owned(), bytes("1")),
        ("имя".to_owned(), Some(vec![0, 255, 128])),
        ("a".to_owned(), bytes("2")),
        ("empty".to_owned(), bytes("")),
        ("null".to_owned(), None),
    ];
    let stamp = Some(1_700_000_000_123);
    let sent: Vec<Plain> = vec![
        (bytes("k"), bytes("several"), several, stamp),
        (bytes("k"), bytes("none"), vec![], stamp),
        (None, bytes("no key"), vec![("a".to_owned(), bytes("x"))], stamp),
        (bytes("k"), None, vec![("why".to_owned(), bytes("a tombstone keeps its headers"))], stamp),
    ];
    let ledger = Arc::new(Ledger::default());
    let writer = Writer::new(env, &ledger, &[])?;
    for (number, (key, value, headers, _)) in sent.iter().enumerate() {
        let mut record = BaseRecord::with_opaque_to(&topic, Box::new(number));
        record.key = key.as_deref();
        record.payload = value.as_deref();
        record.timestamp = stamp;
        if !headers.is_empty() {
            let owned = headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| {
                all.insert(Header { key, value: value.as_deref() })
            });
            record.headers = Some(owned);
        }
        writer.producer.send::<[u8], [u8]>(record).map_err(|(error, _)| text(error))?;
        writer.flush()?;
    }
    let got = collect(env, &topic, sent.len(), plain)?;
    match sent.iter().zip(&got).find(|(sent, got)| sent != got) {
        Some((sent, got)) => Err(format!("sent {sent:?}, read {got:?}")),
        None => Ok(("order, repeats, null and empty kept".into(), vec![("messages", got.len() as u64)])),
    }
}

/// Reads count messages of a topic, and a second longer for what is too much.
fn collect<T>(env: &Env, topic: &str, count: usize, of: impl Fn(&BorrowedMessage<'_>) -> T) -> Result<Vec<T>, String> {
    let reader = reader(env, topic, "reader", &[])?;
    let got = RefCell::new(Vec::new());
    let note = |message: &BorrowedMessage<'_>| {
        got.borrow_mut().push(of(message));
        Ok(())
    };
    wait(LONG, || format!("{} of {count} messages", got.borrow().len()), || {
        poll(&reader, note)?;
        Ok(got.borrow().len() >= count)
    })?;
    for _ in 0..10 {
        poll(&reader, note)?;
    }
    let got = got.into_inner();
    if got.len() == count { Ok(got) } else { Err(format!("{} messages instead of {count}", got.len())) }
}

pub fn large_messages(env: &Env) -> Outcome {
    let topic = create(env, "t", 1, &[("max.message.bytes", "4194304")])?;
    let ledger = Arc::new(Ledger::default());
    let writer = Writer::new(env, &ledger, &[("message.max.bytes", "20000000")])?;
    let mut state = 88172645463325252_u64; // xorshift: bytes that do not compress
    let mut sent = Vec::new();
    for number in 0..6 {
        let mut value = Vec::with_capacity(3 << 20);
        while value.len() < 3 << 20 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            value.extend_from_slice(&state.to_le_bytes());
        }
        writer.send(&topic, number, Some(0), None, &value)?;
        writer.flush()?;
        sent.push(value);
    }
    writer.send(&topic, 6, Some(0), None, &vec![0; 5 << 20])?;
    writer.producer_flush()?;
    match writer.refusal() {
        Some(refusal) if refusal.contains("MessageSizeTooLarge") => {}
        other => return Err(format!("5 MiB gave {other:?}")),
    }
    let got = collect(env, &topic, sent.len(), |message| message.payload().unwrap_or_default().to_vec())?;
    if got != sent {
        return Err("a message came back other than it was sent".into());
    }
    Ok(("3 MiB each; 5 MiB refused".into(), vec![("messages", got.len() as u64)]))
}

pub fn idempotent(env: &Env) -> Outcome {
    let topic = create(env, "t", 3, &[])?;
    let ledger = Arc::new(Ledger::default());
    Writer::new(env, &ledger, &[("enable.idempotence", "true")])?.produce(&topic, 0, 5000, 3)?;
    read_back(env, &topic, &ledger)?;
    Ok(("all read once".into(), vec![("messages", ledger.count() as u64)]))
}
