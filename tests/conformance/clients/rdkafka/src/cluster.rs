use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use rdkafka::admin::{AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::Consumer;
use rdkafka::producer::Producer;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::client::{admin, create, into, poll, read_all, read_back, reader, text, Writer, LONG};
use crate::harness::{ask, number_of, value_of, wait, Env, Ledger, Outcome};

/// Copies a topic to another in transactions of 50 records; the third is aborted and done again.
pub fn transactions(env: &Env) -> Outcome {
    let (input, output) = (create(env, "in", 3, &[])?, create(env, "out", 3, &[])?);
    Writer::new(env, &Arc::default(), &[])?.produce(&input, 0, 300, 3)?;
    let (ledger, unsure) = (Arc::new(Ledger::default()), Arc::new(Ledger::default()));
    let id = env.name("tx");
    let writer = Writer::new(env, &unsure, &[("transactional.id", &id)])?;
    writer.producer.init_transactions(LONG).map_err(text)?;
    let consumer = reader(env, &input, "g", &[])?;
    let mut taken: Vec<(usize, i32, i64)> = Vec::new();
    let (mut round, mut done) = (0, 0);
    while done < 300 {
        round += 1;
        let deadline = Instant::now() + LONG;
        while taken.len() < 50 {
            poll(&consumer, |message| {
                taken.push((number_of(message.payload())?, message.partition(), message.offset()));
                Ok(())
            })?;
            if Instant::now() > deadline {
                return Err(format!("{} records to copy", taken.len()));
            }
        }
        writer.producer.begin_transaction().map_err(text)?;
        for (number, partition, _) in &taken {
            writer.send(&output, *number, Some(*partition), None, value_of(*number).as_bytes())?;
        }
        writer.flush()?;
        if round == 3 {
            writer.producer.abort_transaction(LONG).map_err(text)?;
            continue;
        }
        let mut offsets = TopicPartitionList::new();
        for partition in 0..3 {
            if let Some((_, _, last)) = taken.iter().rev().find(|one| one.1 == partition) {
                offsets.add_partition_offset(&input, partition, Offset::Offset(last + 1)).map_err(text)?;
            }
        }
        let group = consumer.group_metadata().ok_or("the consumer has no group")?;
        writer.producer.send_offsets_to_transaction(&offsets, &group, LONG).map_err(text)?;
        writer.producer.commit_transaction(LONG).map_err(text)?;
        done += taken.len();
        taken.clear();
    }
    let mut all = TopicPartitionList::new();
    for partition in 0..3 {
        all.add_partition(&input, partition);
    }
    let committed = consumer.committed_offsets(all, LONG).map_err(text)?;
    if committed.elements().iter().any(|one| one.offset() != Offset::Offset(100)) {
        return Err(format!("committed offsets {committed:?}"));
    }
    drop(consumer);
    // read_committed is the client's default. Where the aborted records are is not told again: the
    // account of acknowledgements has the place of the last try, which was committed.
    read_back(env, &output, &unsure)?;
    let uncommitted = reader(env, &output, "uncommitted", &[("isolation.level", "read_uncommitted")])?;
    wait(LONG, || format!("{} + {} uncommitted", ledger.count(), ledger.duplicates()), || {
        poll(&uncommitted, into(&ledger))?;
        Ok(ledger.count() + ledger.duplicates() >= 350)
    })?;
    if (ledger.count(), ledger.duplicates(), unsure.count()) != (300, 50, 300) {
        return Err(format!("{} and {} records, {} committed", ledger.count(), ledger.duplicates(), unsure.count()));
    }
    Ok(("each record once; 50 more were aborted".into(), vec![("messages", 300)]))
}

pub fn admin_requests(env: &Env) -> Outcome {
    let (client, options) = (admin(env)?, AdminOptions::new());
    let topic = create(env, "t", 2, &[("retention.ms", "123456")])?;
    let again = block_on(client.create_topics([&NewTopic::new(&topic, 2, TopicReplication::Fixed(3))], &options)).map_err(text)?;
    if !format!("{again:?}").contains("TopicAlreadyExists") {
        return Err(format!("created a second time: {again:?}"));
    }
    let resource = ResourceSpecifier::Topic(&topic);
    let retention = |want: &str| {
        let told = block_on(client.describe_configs([&resource], &options)).map_err(text)?;
        let entry = told[0].as_ref().map_err(text)?.get("retention.ms").and_then(|entry| entry.value.clone());
        if entry.as_deref() == Some(want) { Ok(()) } else { Err(format!("retention.ms is {entry:?}, not {want}")) }
    };
    retention("123456")?;
    let alter = |value: &str| block_on(client.alter_configs([&AlterConfig::new(resource).set("retention.ms", value)], &options)).map_err(text);
    if let Some(Err(error)) = alter("654321")?.first() {
        return Err(format!("alter: {error:?}"));
    }
    retention("654321")?;
    // The crate does not tell the error of a single resource; that it was refused is seen in the config.
    alter("never")?;
    retention("654321")?;
    let grown = block_on(client.create_partitions([&NewPartitions::new(&topic, 4)], &options)).map_err(text)?;
    if let Some(Err(error)) = grown.first() {
        return Err(format!("more partitions: {error:?}"));
    }
    let described = client.inner().fetch_metadata(Some(&topic), LONG).map_err(text)?;
    let partitions = described.topics()[0].partitions();
    if partitions.len() != 4 || partitions.iter().any(|one| one.replicas().len() != 3 || !one.replicas().contains(&one.leader())) {
        return Err(format!("{} partitions", partitions.len()));
    }
    let is_listed = || -> Result<bool, String> {
        let listed = client.inner().fetch_metadata(None, LONG).map_err(text)?;
        Ok(listed.topics().iter().any(|one| one.name() == topic))
    };
    if !is_listed()? {
        return Err("not listed".into());
    }
    let deleted = block_on(client.delete_topics(&[&topic], &options)).map_err(text)?;
    if let Some(Err(error)) = deleted.first() {
        return Err(format!("delete: {error:?}"));
    }
    wait(Duration::from_secs(5), || "the deleted topic is still listed".into(), || Ok(!is_listed()?))?;
    Ok(("all of it; configs are altered as a whole (the crate has no incremental way)".into(), vec![]))
}

pub fn leader_killed(env: &Env) -> Outcome {
    let topic = create(env, "t", 1, &[("min.insync.replicas", "2")])?;
    let ledger = Arc::new(Ledger::default());
    let writer = Writer::new(env, &ledger, &[("enable.idempotence", "true")])?;
    let request = format!("kill-leader {topic} 0");
    let killing = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(2));
        ask(&request)
    });
    let end = Instant::now() + Duration::from_secs(6);
    let mut number = 0;
    while Instant::now() < end {
        writer.send(&topic, number, Some(0), None, value_of(number).as_bytes())?;
        number += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    writer.flush()?;
    killing.join().map_err(|_| "the request to the harness panicked")??;
    let gap = ledger.longest_gap_ms();
    ask("restart")?;
    writer.produce(&topic, number, number + 100, 1)?;
    if ledger.acknowledged() != number + 100 {
        return Err(format!("{} of {} records acknowledged", ledger.acknowledged(), number + 100));
    }
    read_back(env, &topic, &ledger)?;
    Ok(("all acknowledged, all read, once and in order".into(), vec![("messages", ledger.count() as u64), ("longest_gap_ms", gap)]))
}

pub fn topic_recreated(env: &Env) -> Outcome {
    let topic = create(env, "t", 3, &[])?;
    let (before, after) = (Arc::new(Ledger::default()), Arc::new(Ledger::default()));
    let first = Writer::new(env, &before, &[])?;
    first.produce(&topic, 0, 100, 3)?;
    let consumer = reader(env, &topic, "g", &[])?;
    read_all(&consumer, &before, |_| Ok(()))?;
    before.check()?;
    let deleted = block_on(admin(env)?.delete_topics(&[&topic], &AdminOptions::new())).map_err(text)?;
    if let Some(Err(error)) = deleted.first() {
        return Err(format!("delete: {error:?}"));
    }
    create(env, "t", 3, &[])?;
    let mut tries = 0;
    wait(LONG, || "the producer cannot write to the new topic".into(), || {
        tries += 1;
        Ok(first.produce(&topic, 1000 * tries, 1000 * tries + 40, 3).is_ok())
    })?;
    let expected = 1000 * tries..1000 * tries + 40;
    let mut seen = Vec::new();
    wait(LONG, || "the consumer does not read the new topic".into(), || {
        let result = poll(&consumer, |message| {
            let number = number_of(message.payload())?;
            if expected.contains(&number) {
                seen.push(number);
            }
            after.read(number, message.partition(), message.offset());
            Ok(())
        });
        // While the topic is gone the client says so, and goes on by itself.
        if let Err(error) = result {
            eprintln!("{error}");
        }
        Ok(seen.len() >= 40)
    })?;
    seen.sort_unstable();
    if !seen.iter().copied().eq(expected) {
        return Err(format!("read {seen:?}"));
    }
    Ok((format!("the producer needed {tries} tries"), vec![("messages", (before.count() + after.count()) as u64)]))
}
